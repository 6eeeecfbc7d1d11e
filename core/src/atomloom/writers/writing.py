"""Writes a data set through a writer chosen by name or by the target's suffix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atomloom.data import Dataset
from atomloom.errors import TargetError, UnknownName
from atomloom.registry import Contribution, registry, resolve
from atomloom.specs import WriterSpec


def write(
    dataset: Dataset, target: str | Path, /, *, writer: str = "", overwrite: bool = False, **options: Any
) -> None:
    """Write `dataset` to `target`.

    Args:
        writer: name of the writer; without one it follows from the name of the target.
        overwrite: replace what is there; otherwise an existing target is an error.
        options: of the writer.
    """
    spec = check_target(target, writer=writer, overwrite=overwrite)
    resolve(spec.load)(dataset, Path(target), **options)


def check_target(target: str | Path, *, writer: str = "", overwrite: bool = False) -> WriterSpec:
    """The writer for `target`; stops before any work where it cannot be written."""
    path = Path(target)
    spec = (registry().get("writers", writer) if writer else _by_name(path)).spec
    if path.exists() and not overwrite:
        raise TargetError(f"write '{target}'", "it exists", "Choose another name, or replace it with --overwrite")
    if not path.parent.is_dir():
        raise TargetError(f"write '{target}'", f"there is no folder '{path.parent}'", "Make it first")
    assert isinstance(spec, WriterSpec)
    return spec


def _by_name(path: Path) -> Contribution:
    from fnmatch import fnmatch

    all_writers = registry().all("writers")
    for found in all_writers:
        assert isinstance(found.spec, WriterSpec)
        if any(fnmatch(path.name.lower(), pattern.lower()) for pattern in found.spec.matches.globs):
            return found
    names = ", ".join(sorted(found.spec.name for found in all_writers))
    raise UnknownName(f"write '{path}'", "no writer knows this kind of file", f"Name one with --to; there are {names}")
