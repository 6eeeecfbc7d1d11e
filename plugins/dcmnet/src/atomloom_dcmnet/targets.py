"""Files that are about to be written."""

from __future__ import annotations

from pathlib import Path

from atomloom.errors import TargetError


def check_target(path: Path, overwrite: bool) -> Path:
    """The path, before any work is done for a file that cannot be written there."""
    if path.exists() and not overwrite:
        raise TargetError(f"write '{path}'", "it exists", "Choose another name, or replace it with --overwrite")
    if not path.absolute().parent.is_dir():
        raise TargetError(f"write '{path}'", f"there is no folder '{path.parent}'", "Make it first")
    return path
