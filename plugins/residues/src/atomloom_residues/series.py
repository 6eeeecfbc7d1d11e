"""The checkpoints of one training in a folder, in their order: which files those are, and which are something else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError
from atomloom_residues.checkpoint_file import SUFFIXES, is_average, is_checkpoint, recorded_epoch

_COUNTERS = re.compile(r"(?P<word>step|iter(?:ation)?|epoch|ckpt|checkpoint)s?[-_=]?(?P<number>\d+)", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"(\d+)(?=\D*$)")
_FAILED = re.compile(r"error[-_ ]?state|diverged|crashed", re.IGNORECASE)
_UNITS = {"step": "step", "iter": "step", "iteration": "step", "epoch": "epoch"}


class Excluded(NamedTuple):
    """A file that is not averaged, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Series:
    """Checkpoints from the oldest to the newest.

    Args:
        files: their paths.
        times: when each was written, from the start of the training, in `unit`.
        unit: ``"step"``, ``"epoch"`` or ``"file"``.
        excluded: what else is there.
        note: what was read into the names, or nothing.
    """

    files: tuple[Path, ...]
    times: NDArray[np.float64]
    unit: str
    excluded: tuple[Excluded, ...] = ()
    note: str = ""

    def without(self, excluded: Iterable[Excluded]) -> Series:
        """The series less some of its files."""
        gone = tuple(excluded)
        kept = [place for place, path in enumerate(self.files) if path not in {each.path for each in gone}]
        if not kept:
            reasons = "; ".join(f"{each.path.name}: {each.reason}" for each in gone)
            raise DataError("average the checkpoints", f"none is left ({reasons})", "Name a folder with whole ones")
        files = tuple(self.files[place] for place in kept)
        return Series(files, self.times[kept], self.unit, (*self.excluded, *gone), self.note)


class _Numbered(NamedTuple):
    """A file, the number in its name, what that counts, and the rest of the name."""

    path: Path
    number: int
    unit: str
    rest: str


def find(folder: str | Path, stage: str = "") -> Series:
    """The checkpoints in a folder or of a run.

    Files whose names differ in more than the number that counts them belong to other stages or buckets of a training:
    those of one are taken, by natural order of the names the last.

    Args:
        folder: of a run, or with files ``...epoch_10.pkl``, ``step-2000.safetensors``, ..., or with folders by orbax.
        stage: a part of the names of the files to take.
    """
    home = _home(Path(folder))
    files = sorted(path for path in home.iterdir() if is_checkpoint(path))
    averages = [Excluded(path, "an average itself") for path in files if is_average(path)]
    candidates = [path for path in files if path not in {each.path for each in averages}]
    if own := [(path, epoch) for path in candidates if (epoch := recorded_epoch(path)) is not None]:
        foreign = [path for path in candidates if path not in {path for path, _ in own}]
        return _of_run(own, (*averages, *(Excluded(path, "written by another program") for path in foreign)))
    failed = [Excluded(path, "the state of a failed training") for path in candidates if _FAILED.search(path.stem)]
    rest = [path for path in candidates if not _FAILED.search(path.stem)]
    numbered = [found for path in rest if (found := _numbered(path))]
    unnumbered = {*rest} - {found.path for found in numbered}
    nameless = [Excluded(path, "no number in its name says when it was written") for path in sorted(unnumbered)]
    chosen, others = _one_stage(numbered, stage)
    if not chosen:
        reasons = "; ".join(f"{each.path.name}: {each.reason}" for each in (*averages, *failed, *nameless, *others))
        raise DataError(
            f"find checkpoints in '{folder}'",
            reasons or "it has none",
            f"Name a folder with {', '.join(sorted(SUFFIXES))}, or with folders by orbax",
        )
    return _in_order(chosen, (*averages, *failed, *nameless, *others))


def _home(folder: Path) -> Path:
    """The folder itself, or the checkpoints of the run that it is of."""
    inner = folder / "checkpoints"
    home = inner if (folder / "config.toml").is_file() and inner.is_dir() else folder
    if not home.is_dir():
        raise DataError(f"find checkpoints in '{folder}'", "there is no such folder", "Check the path")
    return home


def _of_run(own: list[tuple[Path, int]], others: tuple[Excluded, ...]) -> Series:
    """Checkpoints of an atomloom run, which know their epochs; each epoch once."""
    by_epoch: dict[int, Path] = {}
    twice = list(others)
    for path, epoch in sorted(own, key=lambda pair: (pair[0].stem in ("latest", "best"), pair[0].name)):
        if epoch in by_epoch:
            twice.append(Excluded(path, f"the same epoch as {by_epoch[epoch].name}"))
        else:
            by_epoch[epoch] = path
    epochs = sorted(by_epoch)
    files = tuple(by_epoch[epoch] for epoch in epochs)
    return Series(files, np.array(epochs, dtype=np.float64), "epoch", tuple(twice))


def _numbered(path: Path) -> _Numbered | None:
    counters = {found["word"].lower(): int(found["number"]) for found in _COUNTERS.finditer(path.stem)}
    for word in ("step", "iteration", "iter", "epoch", "checkpoint", "ckpt"):
        if word in counters:
            rest = _COUNTERS.sub(lambda found: f"{found['word']}#", path.stem)
            return _Numbered(path, counters[word], _UNITS.get(word, "file"), rest + path.suffix)
    found = _LAST_NUMBER.search(path.stem)
    if found is None:
        return None
    unit = "step" if path.is_dir() else "file"  # a folder is of orbax, whose manager calls it by the step
    return _Numbered(path, int(found[1]), unit, f"{path.stem[: found.start()]}#{path.stem[found.end() :]}{path.suffix}")


def _one_stage(numbered: list[_Numbered], stage: str) -> tuple[list[_Numbered], list[Excluded]]:
    """The files of one stage, and those of the others."""
    stages: dict[str, list[_Numbered]] = defaultdict(list)
    for each in numbered:
        stages[each.rest].append(each)
    named = [rest for rest in stages if stage in rest]
    if stage and len(named) != 1:
        found = f"{len(named)} kinds of names have it: {', '.join(named or stages)}"
        raise DataError(f"take the stage {stage!r}", found, "Give a part of the name of exactly one")
    if not named:
        return [], []
    taken = max(named, key=_natural)
    others = (each for rest, held in stages.items() if rest != taken for each in held)
    return stages[taken], [Excluded(each.path, f"another stage or bucket than {taken}") for each in others]


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers within a name count as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _in_order(chosen: list[_Numbered], excluded: tuple[Excluded, ...]) -> Series:
    ordered = sorted(chosen, key=lambda each: each.number)
    numbers = [each.number for each in ordered]
    if len(set(numbers)) < len(numbers):
        twice = next(one for one, other in pairwise(ordered) if one.number == other.number)
        found = f"two files have the number {twice.number}, '{twice.path.name}' among them"
        raise DataError("put the checkpoints in order", found, "Keep one of them")
    unit, first = ordered[0].unit, numbers[0]
    # A step 0 is the untrained state, which stands for no time; an epoch 0 is written at the end of the first epoch.
    shift = 1 if first == 0 and unit != "step" else 0
    note = f"{unit}s are counted from 0, so the file with 0 was written after the first" if shift else ""
    times = np.array(numbers, dtype=np.float64) + shift
    if times[-1] == 0:
        raise DataError("average the checkpoints", "the only one is of step 0, the untrained state", "Bring later ones")
    return Series(tuple(each.path for each in ordered), times, unit, excluded, note)
