"""What writers promise: what was written can be read, and nothing half-written is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np

from atomloom.data import Column, Dataset
from atomloom.data.columns import Array, Indices
from atomloom.harmonizing import harmonize
from atomloom.registry import Contribution
from atomloom.testing.check import Check, demand
from atomloom.testing.comparing import as_dataset, whole
from atomloom.testing.subject import Subject

DIGITS = 1e-5
"""How much of the largest number of a field a text with few digits may lose."""


class SourceGone(OSError):
    """What reading the data ends in, in the middle of a write."""


def round_trip(subject: Subject) -> str:
    """Every field of the example after it was written and read."""
    dataset, target = as_dataset(subject.example, "the example"), _target(subject)
    subject.loaded(dataset, target)
    demand(target.exists(), f"it writes nothing to '{target.name}'")
    reader = _reader(subject, target)
    found, _ = harmonize(as_dataset(reader.load()(target), f"what the reader {reader.spec.name} returns"))
    demand(len(found) == len(dataset), f"{len(dataset)} frames are written and {len(found)} are read")
    held, expected = whole(found), whole(dataset)
    for name in expected:
        demand(name in held, f"{name} is written, and the reader {reader.spec.name} finds only {', '.join(held)}")
        _close(held[name], expected[name], name)
    return f"through the reader {reader.spec.name}: {', '.join(expected)}"


def all_or_nothing(subject: Subject) -> None:
    """The folder after a write that broke off."""
    dataset, target = as_dataset(subject.example, "the example"), _target(subject)
    before = set(subject.folder.iterdir())
    try:
        subject.loaded(_breaking(dataset), target)
    except SourceGone:
        pass
    else:
        demand(False, "an error while the data is read does not reach the caller")
    left = sorted(path.name for path in set(subject.folder.iterdir()) - before)
    demand(not left, f"a write that broke off leaves {', '.join(left)} behind")


def _target(subject: Subject) -> Path:
    globs = subject.spec.matches.globs
    return subject.folder / (globs[0].replace("*", "written") if globs else "written")


def _reader(subject: Subject, target: Path) -> Contribution:
    """The reader of the same name and plugin, or the one that the looks of the file suggest."""
    twins = [each for each in subject.known.all("readers") if each.spec.name == subject.spec.name]
    own = [each for each in twins if each.plugin == subject.found.plugin]
    found = [*own, *(each.contribution for each in subject.known.sniff(target))]
    demand(bool(found), f"no installed reader reads '{target.name}'")
    return found[0]


def _breaking(dataset: Dataset) -> Dataset:
    """The data set with a last field that cannot be read."""
    name = list(dataset.columns)[-1]
    return dataset.with_columns({name: _Unreadable(dataset.columns[name])}, {name: dataset.fields[name]})


@final
class _Unreadable(Column):
    def __init__(self, column: Column) -> None:
        self.frames, self.item, self.dtype, self.lengths = column.frames, column.item, column.dtype, column.lengths

    def take(self, frames: Indices) -> Array:
        raise SourceGone("the source is gone")


def _close(found: Array, expected: Array, name: str) -> None:
    demand(found.shape == expected.shape, f"{name} is {list(expected.shape)}, and {list(found.shape)} when read")
    if expected.dtype.kind not in "fiu":
        demand(np.array_equal(found, expected), f"the values of {name} are others when read")
        return
    lost = float(np.max(np.abs(found - expected), initial=0.0))
    allowed = DIGITS * float(np.max(np.abs(expected), initial=0.0))
    demand(lost <= allowed, f"the values of {name} are off by up to {lost:.3g} when read")


CHECKS = (
    Check("round_trip", "writers", "What is written is read again: the same frames, fields and values.", round_trip),
    Check("whole", "writers", "A write that breaks off leaves nothing behind, and says why.", all_or_nothing),
)
