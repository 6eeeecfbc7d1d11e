"""A store in the making: a folder beside its target that takes the target's name when it is whole.

::

    packed.partial/            what a killed conversion leaves behind; the same conversion goes on from it
      build.json               which conversion it is
      done/0.0.0.json          a shard that is complete and on the disk
      shards/0.0.0/            its arrays
    packed/                    appears by rename, with its manifest, or never

Adding to a store builds the new shards in ``packed/partial/`` and moves them over; the manifest that names them is
written last. Nothing that an older manifest names is ever changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from atomloom.errors import AtomloomError, TargetError
from atomloom.runs.atomic import atomic_file, remove_folder
from atomloom.runs.lock import Holder, holder, locked
from atomloom_memmap import manifest
from atomloom_memmap.manifest import Manifest, Shard
from atomloom_memmap.part_writer import sync

SHARDS = "shards"
"""The folder of a store with the folders of its shards."""

_DONE, _IDENTITY, _LOCK = "done", "build.json", "lock"


class Build:
    """A store, or an addition to one, that is being written.

    Args:
        target: the store.
        adding: whether the shards are added to a store that is there.
    """

    def __init__(self, target: Path, *, adding: bool = False) -> None:
        self.target, self.adding = target, adding
        self.folder = target / "partial" if adding else target.with_name(f"{target.name}.partial")

    @contextmanager
    def open(self, identity: str) -> Iterator[None]:
        """Work on it during the ``with`` block, going on from what the same conversion left behind.

        Args:
            identity: tells this conversion from any other; without one nothing is kept to go on from.

        A failure removes everything; an interruption (Ctrl-C, a killed process) leaves what `identity` can continue.
        """
        self.folder.mkdir(exist_ok=True)
        with locked(self.folder / _LOCK, self.target, _held):
            self._begin(identity)
            try:
                yield
            except KeyboardInterrupt:
                if not identity:
                    self.remove()
                raise
            except BaseException:
                self.remove()
                raise

    def shard_folder(self, name: str) -> Path:
        """Where the arrays of a shard go; what a killed process left half-written there is removed."""
        folder = self.folder / SHARDS / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def finished(self, name: str) -> Shard | None:
        """A shard that is complete already."""
        try:
            return msgspec.json.decode((self.folder / _DONE / f"{name}.json").read_bytes(), type=Shard)
        except FileNotFoundError:
            return None

    def finish(self, name: str, shard: Shard) -> None:
        """Note that a shard is complete and on the disk."""
        sync(self.folder / SHARDS)
        with atomic_file(self.folder / _DONE / f"{name}.json", "wb") as file:
            file.write(msgspec.json.encode(shard))

    def publish(self, described: Manifest) -> None:
        """Give the complete store its name, or the complete addition its place."""
        if self.adding:
            self._move_over()
            manifest.save(described, self.target)
            remove_folder(self.folder)
            return
        manifest.save(described, self.folder)
        shutil.rmtree(self.folder / _DONE)
        for name in (_IDENTITY, _LOCK):
            (self.folder / name).unlink(missing_ok=True)
        if self.target.exists():
            remove_folder(self.target)
        os.rename(self.folder, self.target)
        sync(self.target.parent)

    def remove(self) -> None:
        """Remove everything that was written."""
        if self.folder.exists():
            remove_folder(self.folder)

    def _begin(self, identity: str) -> None:
        noted = self.folder / _IDENTITY
        before = noted.read_text(encoding="utf-8") if noted.exists() else None
        if before != identity or not identity:
            for name in (SHARDS, _DONE):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            with atomic_file(noted, "w") as file:
                file.write(identity)
        for name in (SHARDS, _DONE):
            (self.folder / name).mkdir(exist_ok=True)

    def _move_over(self) -> None:
        """Move every new shard to the old ones; one that a killed process moved is there already."""
        for folder in sorted((self.folder / SHARDS).iterdir()):
            place = self.target / SHARDS / folder.name
            shutil.rmtree(place, ignore_errors=True)
            os.rename(folder, place)
        sync(self.target / SHARDS)


def check_replaceable(target: Path) -> None:
    """Stops at a folder that is no store: it is not ours to remove."""
    if target.exists() and not (target / manifest.NAME).is_file():
        found = "something is there that is no packed store, and it will not be removed"
        raise TargetError(f"write '{target}'", found, "Choose another name")


def _held(path: Path, target: Path) -> AtomloomError:
    by: Holder | None = holder(path)
    who = f"process {by.pid} on {by.host}" if by else "another process"
    return TargetError(f"write '{target}'", f"{who} is writing it", "Wait for its end, or choose another name")
