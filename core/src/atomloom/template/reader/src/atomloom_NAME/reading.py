"""Reads a text file of molecules.

A molecule is a line with its number of atoms and its energy in eV, and a line for each atom with its atomic number and
its position in angstrom::

    2 -31.7
    1 0.0 0.0 0.0
    1 0.0 0.0 0.74
"""

from __future__ import annotations

from pathlib import Path

from atomloom import DataError, Dataset

Frame = dict[str, object]


def read(source: str | Path, /) -> Dataset:
    """The molecules of a file: `Z`, `R` in angstrom and `E` in eV."""
    lines = [line.split() for line in Path(source).read_text(encoding="utf-8").splitlines() if line.strip()]
    frames: list[Frame] = []
    while lines:
        try:
            frame, lines = _first(lines)
        except (ValueError, IndexError) as error:
            found = f"molecule {len(frames) + 1} is not written as it should be ({error})"
            todo = "Compare it with the example in the documentation of atomloom_NAME.reading"
            raise DataError(f"read '{source}'", found, todo) from error
        frames.append(frame)
    return Dataset.from_frames(frames, meta={"source": Path(source).name})  # type: ignore[arg-type]  # rows of arrays


def _first(lines: list[list[str]]) -> tuple[Frame, list[list[str]]]:
    """The first molecule, and the lines behind it."""
    atoms, energy = int(lines[0][0]), float(lines[0][1])
    rows = lines[1 : atoms + 1]
    if atoms < 1 or len(rows) < atoms:
        raise ValueError(f"it announces {atoms} atoms and {len(rows)} lines follow")
    numbers = [int(row[0]) for row in rows]
    positions = [[float(row[1]), float(row[2]), float(row[3])] for row in rows]
    return {"Z": numbers, "R": positions, "E": energy}, lines[atoms + 1 :]


def example(folder: Path, /) -> Path:
    """Write a tiny file of this format, for the conformance kit and for the tests."""
    target = Path(folder) / "example.NAME"
    target.write_text(
        "2 -31.7\n1 0.0 0.0 0.0\n1 0.0 0.0 0.74\n3 -2079.1\n8 0.0 0.0 0.0\n1 0.76 0.59 0.0\n1 -0.76 0.59 0.0\n",
        encoding="utf-8",
    )
    return target
