"""Stores at addresses: brought once into a folder of this machine, then used from there.

::

    ~/.cache/atomloom/stores/
      qm9.packed-3f1c2a7b9d0e4f56-0a1b2c3d4e5f6071/        name, hash of the address, seal of the manifest
      qm9.packed-3f1c2a7b9d0e4f56-0a1b2c3d4e5f6071.lock    held by the process that brings it

A store that has changed since has another manifest, and so another folder. The manifest is written last, so a folder
that has one is whole; what a killed process brought is gone on from, block by block.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from atomloom.errors import AtomloomError, ConfigError, DataError, TargetError
from atomloom.progress import track
from atomloom.runs.atomic import atomic_file
from atomloom.runs.lock import locked
from atomloom.runs.targets import writing
from atomloom_memmap import manifest
from atomloom_memmap.building import check_room
from atomloom_memmap.checksums import digest
from atomloom_memmap.downloading import PIECE, Remote, bring, missing
from atomloom_memmap.manifest import Manifest

VARIABLE: Final = "ATOMLOOM_CACHE"
"""The environment variable that names the folder of everything that is fetched."""

_LOOK: Final = 0.2  # seconds between two looks at what another process brings
_INSTALL: Final = "pip install atomloom-memmap[remote]"

_log = logging.getLogger(__name__)


def local(path: str | Path) -> Path:
    """The folder of a store: `path` itself, or where it is fetched to if it is an address such as ``https://...``."""
    return fetch(path) if isinstance(path, str) and "://" in path else Path(path)


def fetch(url: str, cache: str | Path | None = None) -> Path:
    """The folder to which the store at `url` has been brought, whole and checked; what is there is not brought again.

    Args:
        url: any address that fsspec understands: ``https://``, ``s3://``, ``hf://``, ...
        cache: the folder that it is brought into; see `cache_folder`.

    Where the address cannot be reached, what was fetched from it last is used, with a warning.
    """
    folder = Path(cache) if cache is not None else cache_folder() / "stores"
    remote = _connected(url)
    try:
        text = remote.read(manifest.NAME)
    except FileNotFoundError:
        found = f"there is no {manifest.NAME}"
        raise DataError(
            f"fetch the store '{url}'", found, "Give the address of a folder that atomloom packed"
        ) from None
    except Exception as error:  # every protocol has exceptions of its own
        return _kept(url, folder, error)
    described = _understood(text, url)
    target = folder / f"{_prefix(url)}-{digest(text)}"
    while not (target / manifest.NAME).exists():
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with locked(target.with_name(f"{target.name}.lock"), target, _busy):
                if not (target / manifest.NAME).exists():
                    _bring_all(remote, described, text, target)
        except _Busy:
            time.sleep(_LOOK)
    return target


def cache_folder() -> Path:
    """The folder for what can be fetched again: ``$ATOMLOOM_CACHE``, else ``atomloom`` where this system keeps such."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "atomloom"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "atomloom" / "Cache"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "atomloom"


class _Busy(TargetError):
    """Another process brings this store."""


def _busy(path: Path, target: Path) -> AtomloomError:
    return _Busy(f"write '{target}'", f"another process holds '{path}'", "Wait for its end")


def _connected(url: str) -> Remote:
    asked = f"fetch the store '{url}'"
    try:
        import fsspec  # type: ignore[import-untyped]  # its package has no py.typed
    except ImportError:
        raise ConfigError(asked, "fsspec is not installed", f"Install it with `{_INSTALL}`") from None
    try:
        system, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise ConfigError(asked, str(error), "Install what it names") from None
    except ValueError as error:
        raise ConfigError(asked, f"fsspec does not understand it ({error})", "Correct the address") from None
    return Remote(system, root, url)


def _understood(text: bytes, url: str) -> Manifest:
    """The manifest of a store at an address, which may not name files outside of its folder."""
    asked = f"fetch the store '{url}'"
    try:
        described = manifest.loads(text, Path(manifest.NAME))
    except DataError as error:
        raise DataError(asked, error.found, error.todo) from None
    for part in (part for shard in described.shards for part in shard.parts):
        files = (entry.file for entry in (*part.offsets.values(), *part.fields.values()))
        for name in (part.folder, *(f"{part.folder}/{file}" for file in files)):
            if "\\" in name or ":" in name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                found = f"its manifest names {name!r}, which is not within it"
                raise DataError(asked, found, "Do not use it: whoever made it means no good")
    return described


def _bring_all(remote: Remote, described: Manifest, text: bytes, target: Path) -> None:
    parts = [part for shard in described.shards for part in shard.parts]
    with writing(target, only=target):
        target.mkdir(exist_ok=True)
        sizes = [
            entry.bytes
            for part in parts
            for entry in (*part.offsets.values(), *part.fields.values())
            if missing(target, part, entry)
        ]
        check_room(target, sum(sizes), target)
        pieces = (size for part in parts for size in bring(remote, target, part))
        for _ in track(_counted(pieces), total=-(-sum(sizes) // PIECE), label=f"fetching {_name(remote.url)}"):
            pass
        with atomic_file(target / manifest.NAME, "wb") as file:
            file.write(text)


def _counted(sizes: Iterator[int]) -> Iterator[int]:
    """A number for every `PIECE` bytes of what arrived."""
    total = done = 0
    for size in sizes:
        total += size
        while done < total // PIECE:
            yield done
            done += 1
    if total > done * PIECE:
        yield done


def _kept(url: str, folder: Path, error: Exception) -> Path:
    """What was fetched last from an address that cannot be reached now."""
    reason = str(error) or type(error).__name__
    known = [path.parent for path in folder.glob(f"{_prefix(url)}-*/{manifest.NAME}")] if folder.is_dir() else []
    if not known:
        found = f"it cannot be reached ({reason}), and nothing was fetched from it before"
        raise DataError(f"fetch the store '{url}'", found, "Check the address and the network") from error
    latest = max(known, key=lambda path: (path / manifest.NAME).stat().st_mtime)
    _log.warning("'%s' cannot be reached (%s); using what was fetched from it before: '%s'", url, reason, latest)
    return latest


def _prefix(url: str) -> str:
    return f"{_name(url)}-{digest(url.rstrip('/').encode())}"


def _name(url: str) -> str:
    """The last part of an address, as a file name."""
    return re.sub(r"[^\w.-]", "_", url.rstrip("/").rpartition("/")[2])[:64] or "store"
