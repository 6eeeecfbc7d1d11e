"""Charges in local axes as parameter files of the DCM module of CHARMM (``.mdcm``, ``.dcm``).

A file holds the frames of a residue, and for each atom of a frame its charges in angstrom and e. An atom of several
frames has its charges in one of them. What stands behind an exclamation mark is a comment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from atomloom.errors import DataError
from atomloom.runs.atomic import atomic_file
from atomloom_dcmnet.local_frames import Frame, Home, LocalAxes, LocalModel

MOST = 7
"""Charges of an atom that CHARMM takes."""

KINDS = {"BO": False, "BI": True}
"""By the letters of a frame, whether the z axis of its second atom halves the angle there."""

_NAME = 4  # letters of a residue's name


def write_mdcm(model: LocalModel, target: Path, residue: str = "MOL") -> None:
    """Write the charges of one residue.

    Raises:
        DataError: for an atom of more charges than `MOST`, or a name that CHARMM would not read.
    """
    asked = f"write '{target}' for CHARMM"
    atom, most = Counter(model.owners.tolist()).most_common(1)[0]
    if most > MOST:
        found = f"atom {atom} has {most} charges, and CHARMM takes {MOST} of an atom"
        raise DataError(asked, found, f"Fit or train with at most {MOST} charges of each atom")
    if not (residue.isalnum() and len(residue) <= _NAME):
        found = f"the name of the residue is {residue!r}"
        raise DataError(asked, found, f"Choose one of at most {_NAME} letters and digits")
    with atomic_file(target) as file:
        file.writelines(f"{line}\n" for line in _lines(model, residue))


def _lines(model: LocalModel, residue: str) -> Iterator[str]:
    letters = {value: key for key, value in KINDS.items()}
    yield "1 0  ! residues, and those of them with flexible charges"
    yield ""
    yield f"{residue}  ! residue"
    yield f"{len(model.axes.frames)}  ! frames"
    for number, frame in enumerate(model.axes.frames):
        atoms = [*(atom + 1 for atom in frame.atoms), 0, 0][:3]
        yield f"{atoms[0]:3d} {atoms[1]:3d} {atoms[2]:3d} {letters[frame.bisector]}  ! atoms of frame {number + 1}"
        for place, atom in enumerate(frame.atoms):
            own = np.flatnonzero(model.owners == atom) if model.axes.homes[atom] == Home(number, place) else ()
            yield f"{len(own)} 0  ! charges, and polarizable sites, of atom {atom + 1}"
            for charge in own:
                numbers = (*model.local[charge], model.charges[charge])
                yield "".join(f"{value:18.10f}" for value in numbers)
    yield ""


def read_mdcm(source: Path) -> tuple[str, LocalModel]:
    """The name and the charges of the one residue of a file."""
    asked = f"read '{source}' as charges for CHARMM"
    lines = iter(enumerate(source.read_text(encoding="utf-8", errors="replace").splitlines(), 1))
    words = ((number, line.split("!")[0].split()) for number, line in lines)
    reader = _Reader(asked, (entry for entry in words if entry[1]))
    residues, flexible = reader.integers(2)
    if residues != 1 or flexible:
        found = f"it holds {residues} residues, {flexible} of them with flexible charges"
        raise DataError(asked, found, "Bring one residue with fixed charges")
    name = reader.words(1)[0]
    frames: list[Frame] = []
    homes: dict[int, Home] = {}
    rows: list[tuple[int, list[float]]] = []
    for number in range(reader.integers(1)[0]):
        frame = reader.frame()
        frames.append(frame)
        for place, atom in enumerate(frame.atoms):
            own = reader.charges()
            if own and any(owner == atom for owner, _ in rows):
                raise DataError(asked, f"atom {atom + 1} has charges in two frames", "Leave them in one of the frames")
            if own or atom not in homes:
                homes[atom] = Home(number, place)
            rows += [(atom, charge) for charge in own]
    if sorted(homes) != list(range(len(homes))):
        raise DataError(asked, "some atom is in no frame", "Bring a file with a frame for each atom")
    axes = LocalAxes(tuple(frames), tuple(homes[atom] for atom in range(len(homes))))
    rows.sort(key=lambda row: row[0])
    values = np.array([charge for _, charge in rows]).reshape(-1, 4)
    return name, LocalModel(axes, np.array([atom for atom, _ in rows], np.int64), values[:, 3], values[:, :3])


class _Reader:
    """The lines of a file, one after the other, and errors that name them."""

    def __init__(self, asked: str, lines: Iterator[tuple[int, list[str]]]) -> None:
        self.asked, self.lines = asked, lines

    def words(self, count: int) -> list[str]:
        """At least so many of the next line."""
        number, found = next(self.lines, (0, []))
        if len(found) < count:
            where = f"line {number} has {len(found)} of {count} entries" if number else "it ends too early"
            raise DataError(self.asked, where, "Check that it is a DCM parameter file")
        return found

    def integers(self, count: int) -> list[int]:
        """The first entries of the next line."""
        return [int(value) for value in self._numbers(count)]

    def frame(self) -> Frame:
        """Atoms and kind of a frame; zeros stand for atoms that are not there."""
        words = self.words(4)
        if words[3].upper() not in KINDS or not all(word.isdecimal() for word in words[:3]):
            found = f"{' '.join(words[:4])!r} are not three atoms and {' or '.join(KINDS)}"
            raise DataError(self.asked, found, "Check that it is a DCM parameter file")
        return Frame(tuple(int(word) - 1 for word in words[:3] if int(word)), KINDS[words[3].upper()])

    def charges(self) -> list[list[float]]:
        """The charges of an atom with their places."""
        count, polarizable = self.integers(2)
        if polarizable:
            raise DataError(self.asked, "it has polarizable sites", "Bring a file with charges alone")
        return [self._numbers(4) for _ in range(count)]

    def _numbers(self, count: int) -> list[float]:
        words = self.words(count)[:count]
        try:
            return [float(word) for word in words]
        except ValueError as error:
            raise DataError(self.asked, f"{' '.join(words)!r} are no numbers", "Correct them") from error
