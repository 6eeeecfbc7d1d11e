"""Reads ESP files: Gaussian's (``IOp(6/50=1)``, Merz-Kollman points) and those of the RESP program.

Gaussian's begin with `` ESP FILE - ATOMIC UNITS`` and name elements, fitted charges, charge and multiplicity; RESP's
begin with the numbers of atoms and points, in five columns each, perhaps with charge and multiplicity behind them,
followed by ``x y z`` of the atoms and ``potential x y z`` of the points. Both are in bohr and hartree/e. Several
structures may follow each other in one file. RESP's have no elements unless symbols stand before the coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Column, Dataset, Packed, PerFrame
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom.specs import Field
from atomloom_formats.elements import atomic_numbers

UNITS = {
    "R": "bohr",
    "vdw_surface": "bohr",
    "esp": "hartree/e",
    "mono": "e",
    "D": "e*bohr",
    "total_charge": "e",
}
"""The units of both formats."""

RULE = "the format of ESP files: atomic units"
GAUSSIAN = "ESP FILE"

_STATE = re.compile(r"CHARGE\s*=\s*(-?\d+)(?:\.0*)?\s*-?\s*MULTIPLICITY\s*=\s*(\d+)", re.IGNORECASE)
_COUNT = re.compile(r"#(?:ATOMS|POINTS)\s*=\s*(\d+)", re.IGNORECASE)
_DIPOLE = re.compile(r"X=\s*(\S+)\s+Y=\s*(\S+)\s+Z=\s*(\S+)", re.IGNORECASE)
_WIDTH = 5

Frame = dict[str, Any]


def read(source: str | Path, /) -> Dataset:
    """The structures of an ESP file, a frame each."""
    path = Path(source)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    first = next((line for line in lines if line.strip()), "")
    frames = _Lines(path, lines)
    found = list(_gaussian(frames) if GAUSSIAN in first.upper() else _resp(frames))
    if not found:
        raise DataError(
            f"read '{path}' as an ESP file", "it holds no structure", "Check that this is the file you meant"
        )
    return _dataset(path, found)


def _dataset(path: Path, frames: Sequence[Frame]) -> Dataset:
    names = [name for name in frames[0] if all(frame.get(name) is not None for frame in frames)]
    columns: dict[str, Column] = {}
    fields: dict[str, Field] = {}
    for name in names:
        field = declared(name)
        fields[name] = field.replace(unit=UNITS.get(name, ""))
        values = [np.asarray(frame[name]) for frame in frames]
        lengths = np.array([len(value) if value.ndim else 1 for value in values])
        columns[name] = Packed(np.concatenate(values), lengths) if field.ragged else PerFrame(np.stack(values))
    rules = {name: RULE for name in names if name in UNITS}
    return Dataset(columns, fields, {"source": path.name, "unit_rules": rules})


class _Lines:
    """The lines of a file from some line on, and errors that name the line."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path, self.lines, self.at = path, lines, 0

    def skip_blank(self) -> bool:
        """Go on to the next line that holds something; False at the end."""
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        return self.at < len(self.lines)

    def next(self) -> str:
        """The next line."""
        if self.at >= len(self.lines):
            raise self.error("the file ends within a structure", "Check that its download or copy finished")
        self.at += 1
        return self.lines[self.at - 1]

    def search(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        """The next line that has this pattern, skipping others."""
        while True:
            if self.at >= len(self.lines):
                raise self.error(f"there is no line with {what}", "Check that its download or copy finished")
            match = pattern.search(self.next())
            if match:
                return match

    def table(self, rows: int, width: int, what: str) -> np.ndarray[Any, Any]:
        """The last `width` words of each of so many lines, as numbers."""
        there = min(rows, len(self.lines) - self.at)
        block = [line.replace("D", "E").split()[-width:] for line in self.lines[self.at : self.at + there]]
        full = next((n for n, words in enumerate(block) if len(words) < width), there)
        if full < rows:
            raise self.error(f"{rows} {what} are announced and {full} follow", "Check that its download finished")
        try:
            values = np.array(block, dtype=np.float64).reshape(rows, width)
        except ValueError as error:
            raise self.error(f"one of the {what} is no number ({error})", "Correct it") from error
        self.at += rows
        return values

    def error(self, found: str, todo: str) -> DataError:
        """An error about the file."""
        return DataError(f"read '{self.path}' as an ESP file", f"{found} (line {self.at})", todo)


def _gaussian(lines: _Lines) -> Iterator[Frame]:
    while lines.skip_blank():
        state = lines.search(_STATE, "charge and multiplicity")
        atoms = int(lines.search(_COUNT, "the number of atoms")[1])
        symbols = [line.split()[0] for line in lines.lines[lines.at : lines.at + atoms] if line.strip()]
        table = lines.table(atoms, 4, "atoms")
        start = lines.at
        points = int(lines.search(_COUNT, "the number of points")[1])
        dipole = next((match for line in lines.lines[start : lines.at] if (match := _DIPOLE.search(line))), None)
        values = lines.table(points, 4, "grid points")
        yield {
            "Z": _elements(lines, symbols),
            "R": table[:, :3],
            "mono": table[:, 3],
            "vdw_surface": values[:, 1:],
            "esp": values[:, 0],
            "total_charge": float(state[1]),
            "total_spin": int(state[2]),
            "D": _vector(dipole) if dipole else None,
        }


def _resp(lines: _Lines) -> Iterator[Frame]:
    while lines.skip_blank():
        atoms, points, *state = _head(lines)
        rows = [line.split() for line in lines.lines[lines.at : lines.at + atoms]]
        table = lines.table(atoms, 3, "atoms")
        symbols = [words[0] for words in rows if len(words) > 3 and words[0][0].isalpha()]
        values = lines.table(points, 4, "grid points")
        yield {
            "Z": _elements(lines, symbols) if len(symbols) == atoms else None,
            "R": table,
            "vdw_surface": values[:, 1:],
            "esp": values[:, 0],
            "total_charge": float(state[0]) if state else None,
            "total_spin": state[1] if len(state) > 1 else None,
        }


def _head(lines: _Lines) -> list[int]:
    """Numbers of atoms and points, charge and multiplicity; the first two may touch each other."""
    text = lines.next()
    try:
        numbers = [int(word) for word in text.split()]
        if len(numbers) < 2:
            numbers = [int(text[:_WIDTH]), int(text[_WIDTH:])]
    except ValueError:
        numbers = []
    if len(numbers) < 2 or numbers[0] < 1 or numbers[1] < 0:
        found = f"{text.strip()[:40]!r} stands where the numbers of atoms and of points should"
        raise lines.error(found, "Check that it is an ESP file of Gaussian or RESP, or choose another --reader")
    return numbers[:4]


def _elements(lines: _Lines, symbols: list[str]) -> np.ndarray[Any, Any]:
    try:
        return atomic_numbers(re.sub(r"(?<=[A-Za-z])\d+$", "", symbol) for symbol in symbols)
    except KeyError as error:
        raise lines.error(f"there is no element {error}", "Correct the symbols of the atoms") from error


def _vector(match: re.Match[str]) -> np.ndarray[Any, Any]:
    return np.array([float(match[axis].replace("D", "E")) for axis in (1, 2, 3)])


EXAMPLE = """\
 ESP FILE - ATOMIC UNITS
 CHARGE =  0 - MULTIPLICITY =   1
 ATOMIC COORDINATES AND ESP CHARGES. #ATOMS =      2
  H       0.00000000D+00  0.00000000D+00  0.87000000D+00  0.40000000D+00
  F       0.00000000D+00  0.00000000D+00 -0.87000000D+00 -0.40000000D+00
 DIPOLE MOMENT:
 X=  0.00000000D+00 Y=  0.00000000D+00 Z=  0.69600000D+00 Total=  0.69600000D+00
 ESP VALUES AND GRID POINT COORDINATES. #POINTS =      3
  0.04300000D+00  0.00000000D+00  0.00000000D+00  0.50000000D+01
 -0.04300000D+00  0.00000000D+00  0.00000000D+00 -0.50000000D+01
  0.00000000D+00  0.50000000D+01  0.00000000D+00  0.00000000D+00
"""
"""A tiny file."""


def example(folder: str | Path, /) -> Path:
    """Write a tiny file of this format, for the conformance kit and for tests."""
    target = Path(folder) / "example.esp"
    target.write_text(EXAMPLE, encoding="utf-8")
    return target
