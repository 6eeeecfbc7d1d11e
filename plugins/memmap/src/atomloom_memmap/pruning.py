"""Removes what no reader that opens a store from now on will need."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from atomloom.runs.atomic import remove_folder
from atomloom.runs.targets import writing
from atomloom_memmap import manifest
from atomloom_memmap.building import SHARDS, Build


class Pruned(NamedTuple):
    """What was removed: so many folders, so many bytes."""

    folders: int
    bytes: int


def prune(path: str | Path) -> Pruned:
    """Remove the folders that the manifest of the store at `path` does not name: replaced pairs, killed additions.

    A process that has opened an older state of the store may still need these.
    """
    folder = Path(os.path.realpath(path))
    manifest.load(folder)
    build = Build(folder, adding=True)
    with writing(path), build.alone():
        described = manifest.load(folder)
        named = {part.folder for shard in described.shards for part in shard.parts}
        unused = [each for each in sorted((folder / SHARDS).iterdir()) if f"{SHARDS}/{each.name}" not in named]
        size = sum(file.stat().st_size for each in unused for file in each.rglob("*") if file.is_file())
        for each in unused:
            remove_folder(each)
        build.remove()
    return Pruned(len(unused), size)
