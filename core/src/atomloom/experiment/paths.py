"""The files that an experiment names."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from atomloom.experiment.structs import Batching, Experiment, Split


def resolved(experiment: Experiment, folder: str | Path) -> Experiment:
    """The experiment with nothing left to chance: absolute paths, and the defaults of split and batches written out.

    Args:
        experiment: as it was loaded.
        folder: of its TOML file, which relative paths start from; ``~`` is the home folder.

    Resolving twice changes nothing. The batches of an experiment with a preset are left for that to say.
    """
    base = Path(folder).absolute()
    sources = [replace(source, path=_absolute_paths(source.path, base)) for source in experiment.data.source]
    data = replace(experiment.data, source=sources, split=_resolved_split(experiment.data.split, base))
    batching = experiment.batching if experiment.preset else resolved_batching(experiment.batching)
    return replace(experiment, data=data, batching=batching)


def resolved_batching(batching: Batching) -> Batching:
    """The same batches with their defaults written out."""
    return replace(batching, batch_size=batching.frames, block=batching.frames_per_block)


def _resolved_split(split: Split, base: Path) -> Split:
    shares = {name: _absolute(share, base) if isinstance(share, str) else share for name, share in split.shares.items()}
    return replace(split, **shares)


def _absolute_paths(path: str | list[str], base: Path) -> str | list[str]:
    return _absolute(path, base) if isinstance(path, str) else [_absolute(one, base) for one in path]


def _absolute(path: str, base: Path) -> str:
    # A reader may take addresses such as https://... Unlike pathlib, os leaves ~NAME alone where there is no such user.
    return path if "://" in path else str(base / os.path.expanduser(path))
