"""What readers promise: the data set of a file is the same, however it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.data.schema import known_field
from atomloom.runs.fingerprint import fingerprint
from atomloom.testing.check import Check, demand
from atomloom.testing.comparing import as_dataset, same_batch, same_declarations, same_rows, whole
from atomloom.testing.subject import Subject


def schema(subject: Subject) -> str:
    """Each column against what it announces, and each field against its declaration."""
    dataset = _read(subject)
    demand(len(dataset) > 0, "the example has no frames")
    every = np.arange(len(dataset))
    for name, column in dataset.columns.items():
        values, field, known = column.take(every), dataset.fields[name], known_field(name)
        rows = len(dataset) if column.lengths is None else int(column.lengths.sum())
        demand(values.shape == (rows, *column.item), f"{name} is {list(values.shape)}, not {[rows, *column.item]}")
        demand(values.dtype == column.dtype, f"{name} is announced as {column.dtype} and is {values.dtype}")
        agrees = known is None or field.dims in ((), known.dims)
        demand(agrees, f"the dims of {name} are {' '.join(field.dims)}, and it is declared otherwise")
    same_declarations(dataset, _read(subject), "read again")
    odd = [name for name in subject.spec.provides if known_field(name) is None]
    demand(not odd, f"it provides {', '.join(odd)}, which no installed plugin declares")
    return f"{len(dataset)} frames of {', '.join(dataset.columns)}"


def slices(subject: Subject) -> None:
    """Parts of the data set against the whole."""
    dataset = _read(subject)
    expected, count = whole(dataset), len(dataset)
    same_batch(whole(_read(subject)), expected, "read again")
    for start, stop in ((0, count), (0, count // 2), (count // 2, count)):
        same_batch(whole(dataset[start:stop]), _part(expected, range(start, stop)), f"from {start} to {stop}")
    backwards = range(count - 1, -1, -1)
    same_batch(dataset.take(list(backwards)), _part(expected, backwards), "backwards")
    for number in range(count):
        same_batch(dataset.take([number]), _part(expected, [number]), f"alone, frame {number}")
    for size in (1, 2):
        for name in expected:
            blocks = np.concatenate([block[name] for block in dataset.blocks(size)])
            same_rows(blocks, expected[name], name, f"in blocks of {size}")


def source_kept(subject: Subject) -> None:
    """The file before and after it was read."""
    path: Path = subject.example
    before = fingerprint(path)
    whole(as_dataset(subject.loaded(path), "what it returns"))
    demand(fingerprint(path) == before, f"'{path.name}' is not what it was before it was read")


def suggested(subject: Subject) -> None:
    """What the registry makes of the looks of the example."""
    found = [each.contribution for each in subject.known.sniff(subject.example)]
    names = ", ".join(each.spec.name for each in found) or "none"
    demand(subject.found in found, f"for '{subject.example.name}' the readers that are suggested are {names}")


def _read(subject: Subject) -> Dataset:
    path = subject.example
    demand(isinstance(path, Path) and path.exists(), f"the example gives {path!r} and no path that exists")
    return as_dataset(subject.loaded(path), "what it returns")


def _part(batch: Batch, frames: Sequence[int]) -> Batch:
    """Some frames of a batch, cut out of its arrays."""
    arrays = {}
    for name, values in batch.items():
        axis = batch.axis(name)
        starts = batch.offsets[axis] if axis else np.arange(batch.frames + 1)
        rows = [values[starts[frame] : starts[frame + 1]] for frame in frames]
        arrays[name] = np.concatenate([values[:0], *rows])
    sizes = {axis: lengths[np.array(frames, dtype=np.int64)] for axis, lengths in batch.sizes.items()}
    return Batch(arrays, batch.fields, sizes, len(frames))


CHECKS = (
    Check("schema", "readers", "Every column has the type, the shape and the dims that it announces.", schema),
    Check("slices", "readers", "Slices, single frames and blocks hold what the whole holds, every time.", slices),
    Check("source", "readers", "Reading leaves the file as it was.", source_kept),
    Check(
        "matches",
        "readers",
        "The looks of the example suggest this reader.",
        suggested,
        applies=lambda spec: any(spec.matches),
    ),
)
