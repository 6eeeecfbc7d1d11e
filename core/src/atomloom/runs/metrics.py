"""The metrics of a run: one line of JSON per epoch.

A line reaches the disk before the checkpoint of its epoch does, so that a resumed run finds every line up to its
checkpoint and drops the later ones. Lines hold no times: the same fit writes the same bytes.

>>> from tempfile import mkdtemp
>>> path = Path(mkdtemp()) / "metrics.jsonl"
>>> append(path, 1, {"train/loss": 0.5})
>>> append(path, 2, {"train/loss": 0.25, "valid/loss": 0.5})
>>> columns(path)["valid/loss"]
array([nan, 0.5])
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from atomloom.errors import DataError
from atomloom.runs import strictjson
from atomloom.runs.atomic import atomic_file
from atomloom.runs.targets import writing


class Row(NamedTuple):
    """The metrics of one epoch."""

    epoch: int
    values: Mapping[str, float]


def append(path: Path, epoch: int, values: Mapping[str, float]) -> None:
    """Add the line of an epoch and bring it to the disk; if that fails, the file is as it was.

    Raises:
        TargetError: when it cannot be written.
    """
    line = strictjson.dumps({"epoch": epoch, **values}) + "\n"
    with writing(path), path.open("ab") as file:
        before = file.tell()
        try:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.truncate(path, before)
            raise


def cut_back(path: Path, epoch: int) -> None:
    """Drop what was written after `epoch`, a line that was cut short by a kill included.

    Raises:
        DataError: when a line other than the last is not what `append` writes, or the line of `epoch` is missing.
    """
    lines = _lines(path)
    known = {row.epoch for row in rows(path)}
    if epoch and epoch not in known:
        found = f"it has no line for epoch {epoch}, after which the checkpoint was saved"
        raise DataError(f"go on with '{path}'", found, "Restore a copy of it")
    kept = [line for line in lines if (row := _row(line)) is not None and row.epoch <= epoch]
    if kept != lines:
        with atomic_file(path, "wb") as file:
            file.writelines(kept)


def rows(path: Path) -> Iterator[Row]:
    """The lines of a file of metrics, in order; none if there is no such file.

    Raises:
        DataError: when a line other than the last is not what `append` writes.
    """
    lines = _lines(path)
    for number, line in enumerate(lines, start=1):
        row = _row(line)
        if row is not None:
            yield row
        elif number < len(lines):
            raise DataError(f"read '{path}'", f"line {number} is damaged", "Delete that line, or restore a copy")


def since(path: Path, place: int) -> tuple[list[Row], int]:
    """The whole lines from a place in bytes on, and the place after them; of a file that has shrunk, all its lines."""
    if not path.exists():
        return [], 0
    with path.open("rb") as file:
        file.seek(place if place <= path.stat().st_size else 0)
        place, lines = file.tell(), file.readlines()
    found = [(line, row) for line in lines if (row := _row(line)) is not None]
    return [row for _, row in found], place + sum(len(line) for line, _ in found)


def last(path: Path) -> Row:
    """The last whole line, found without reading what the others say; epoch 0 if there is none."""
    whole = (row for line in reversed(_lines(path)) if (row := _row(line)) is not None)
    return next(whole, Row(0, {}))


def of_epoch(path: Path, epoch: int) -> Row:
    """The line of one epoch, found without reading what the others say; epoch 0 if there is none."""
    starts = (f'{{"epoch": {epoch},'.encode(), f'{{"epoch": {epoch}}}'.encode())
    found = (row for line in _lines(path) if line.startswith(starts) and (row := _row(line)) is not None)
    return next(found, Row(0, {}))


def columns(path: Path) -> dict[str, np.ndarray]:
    """The metrics by name, each with one float64 value per epoch, beside ``epoch`` itself (int64).

    What was not logged in an epoch is NaN.
    """
    found = list(rows(path))
    names = dict.fromkeys(name for row in found for name in row.values)
    table = {name: np.array([row.values.get(name, np.nan) for row in found], dtype=np.float64) for name in names}
    return {"epoch": np.array([row.epoch for row in found], dtype=np.int64), **table}


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _row(line: bytes) -> Row | None:
    """The row that a whole line holds; None for a line that is damaged or lacks its end."""
    if not line.endswith(b"\n"):
        return None
    try:
        found: dict[str, Any] = json.loads(line)
        return Row(int(found.pop("epoch")), {name: strictjson.number(value) for name, value in found.items()})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
