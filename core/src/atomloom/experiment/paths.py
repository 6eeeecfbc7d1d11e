"""The files that an experiment names."""

from __future__ import annotations

import glob
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from atomloom.errors import ConfigError
from atomloom.experiment.structs import Experiment, Source, Split


def resolved(experiment: Experiment, folder: str | Path) -> Experiment:
    """The experiment with nothing left to chance: absolute paths, and the defaults of split and batches written out.

    Args:
        experiment: as it was loaded.
        folder: of its TOML file, which relative paths start from; ``~`` is the home folder.

    Resolving twice changes nothing.
    """
    base = Path(folder).absolute()
    sources = [replace(source, path=_absolute_paths(source.path, base)) for source in experiment.data.source]
    data = replace(experiment.data, source=sources, split=_resolved_split(experiment.data.split, base))
    return replace(experiment, data=data, batching=replace(experiment.batching, batch_size=experiment.batching.frames))


def files(source: Source, folder: str | Path = ".") -> tuple[Path, ...]:
    """The files and folders that a source names, each pattern's in the order of their names.

    A path that exists is taken as it is, even if it looks like a pattern.

    Raises:
        ConfigError: if a path does not exist or a pattern matches nothing, with the nearest names.
    """
    found: dict[Path, None] = {}
    for path in source.paths:
        pattern = _absolute(path, Path(folder).absolute())
        matches = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))
        if not matches:
            raise ConfigError(f"read the data source '{path}'", *_missing(Path(pattern)))
        found |= dict.fromkeys(map(Path, matches))
    return tuple(found)


def _resolved_split(split: Split, base: Path) -> Split:
    shares = {name: _absolute(share, base) if isinstance(share, str) else share for name, share in split.shares.items()}
    return replace(split, **shares)


def _absolute_paths(path: str | list[str], base: Path) -> str | list[str]:
    return _absolute(path, base) if isinstance(path, str) else [_absolute(one, base) for one in path]


def _absolute(path: str, base: Path) -> str:
    # A reader may take addresses such as https://...
    return path if "://" in path else str(base / Path(path).expanduser())


def _missing(path: Path) -> tuple[str, str]:
    """What was found instead of `path`, and what to do."""
    if glob.has_magic(path.name):
        return f"nothing matches {path}", "Check the pattern and its folder"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", "Paths are relative to the folder of the TOML file"
    near = get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=3)
    return f"there is no {path}", f"Nearest there: {', '.join(near)}" if near else "Check its name"
