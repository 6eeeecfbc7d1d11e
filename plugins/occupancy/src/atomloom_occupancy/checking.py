"""What a model says of its occupancies, without data: sums, letters, duplicates, compression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.report import Block, Column, KeyFigure, KeyFigures, Report, Section, Table, Text
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.grouping import UNIFORM
from atomloom_occupancy.structure import atoms_of, multiplicities_of, occupancies_of

IDENTICAL = 0.02
"""Atoms of two altlocs nearer than this, in angstrom, are in one place for any data."""


class Problem(NamedTuple):
    """Something that does not fit: where, and what it is."""

    where: str
    what: str


def problems(structure: gemmi.Structure) -> list[Problem]:
    """Sums over one, missing letters, altlocs in one place, occupancies beyond [0, 1] or the cap of their position."""
    return [*_sums(structure), *_letters(structure), *_identical(structure), *_caps(structure)]


def altlocs(structure: gemmi.Structure) -> Iterator[tuple[str, str, dict[str, tuple[int, gemmi.Atom]]]]:
    """Residue, atom name, and its altlocs by letter."""
    sites: dict[tuple[str, str], dict[str, tuple[int, gemmi.Atom]]] = defaultdict(dict)
    for number, cra in enumerate(atoms_of(structure)):
        if cra.atom.has_altloc():
            place = f"{cra.chain.name} {cra.residue.seqid}"
            sites[place, cra.atom.name][cra.atom.altloc] = (number, cra.atom)
    for (place, name), letters in sites.items():
        yield place, name, letters


def _sums(structure: gemmi.Structure) -> Iterator[Problem]:
    occupancy, worst = occupancies_of(structure), dict[str, float]()
    for place, _, letters in altlocs(structure):
        total = sum(occupancy[number] for number, _ in letters.values())
        worst[place] = max(worst.get(place, 0.0), float(total))
    for place, total in worst.items():
        if total > 1 + UNIFORM:
            yield Problem(place, f"its altlocs add up to {total:.2f}")


def _letters(structure: gemmi.Structure) -> Iterator[Problem]:
    found: dict[str, set[str]] = defaultdict(set)
    heavy: dict[str, list[set[str]]] = defaultdict(list)
    for place, _, letters in altlocs(structure):
        found[place] |= letters.keys()
        if not any(atom.is_hydrogen() for _, atom in letters.values()):
            heavy[place].append(set(letters))
    for place, all_of_them in found.items():
        if len(all_of_them) == 1:
            yield Problem(place, f"it has altloc {min(all_of_them)} alone")
        elif any(each != all_of_them for each in heavy[place]):
            yield Problem(place, f"not all of its atoms have all of the altlocs {' '.join(sorted(all_of_them))}")


def _identical(structure: gemmi.Structure) -> Iterator[Problem]:
    same: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for place, _, letters in altlocs(structure):
        named = sorted(letters)
        for first, second in pairwise(named):
            a, b = letters[first][1], letters[second][1]
            same[place, f"{first} and {second}"].append(a.pos.dist(b.pos) < IDENTICAL)
    for (place, pair), each in same.items():
        if all(each):
            yield Problem(place, f"{pair} have identical coordinates: the data cannot tell them apart")


def _caps(structure: gemmi.Structure) -> Iterator[Problem]:
    occupancy, many = occupancies_of(structure), multiplicities_of(structure)
    for number, cra in enumerate(atoms_of(structure)):
        place = f"{cra.chain.name} {cra.residue.seqid} {cra.atom.name}"
        if not 0 <= occupancy[number] <= 1:
            yield Problem(place, f"its occupancy is {occupancy[number]:g}")
        elif many[number] > 1 and occupancy[number] > 1 / many[number] + UNIFORM:
            fits = f"{many[number]} images coincide there, so that it can be {1 / many[number]:.2f} at most"
            yield Problem(place, f"its occupancy on a special position is {occupancy[number]:.2f}, and {fits}")


def check_report(structure: gemmi.Structure, name: str) -> Report:
    """The report of ``atomloom occupancy check``."""
    found = problems(structure)
    summary = (
        f"{_count(len(found), 'problem')} in {name}." if found else f"Nothing is wrong with occupancies in {name}."
    )
    return Report(f"Occupancies of {name}", model_sections(structure, found), summary)


def model_sections(structure: gemmi.Structure, found: list[Problem]) -> tuple[Section, ...]:
    """Partial residues, altlocs, compression and problems of a model."""
    occupancy, network = occupancies_of(structure), find_network(structure)
    letters = Counter(cra.atom.altloc for cra in atoms_of(structure) if cra.atom.has_altloc())
    sizes = (
        KeyFigure("Atoms", len(occupancy)),
        KeyFigure("Partially occupied", int(np.sum((occupancy > 0) & (occupancy < 1)))),
        KeyFigure("In altlocs", sum(letters.values()), note=" ".join(f"{k}: {n}" for k, n in sorted(letters.items()))),
        KeyFigure("States", len(network.states), note=f"in {_count(len(network.sets), 'set')} and alone"),
        KeyFigure("Atoms per parameter", _compression(occupancy, network.form.matrix.shape), digits=3),
    )
    text: Block = Text("Occupancies are within [0, 1], sums are one or less, and every altloc has its partners.")
    if found:
        text = Table((Column("where", kind="text"), Column("what", kind="text")), tuple(found))
    return Section("The model", (KeyFigures(sizes), *_partial(structure))), Section("What does not fit in it", (text,))


def _partial(structure: gemmi.Structure) -> list[Block]:
    """One row for each residue with partial occupancies: the mean of those of each altloc."""
    atoms, occupancy = atoms_of(structure), occupancies_of(structure)
    residues: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for cra, value in zip(atoms, occupancy, strict=True):
        if 0 < value < 1:
            place = f"{cra.chain.name} {cra.residue.seqid}", cra.residue.name
            residues[place][cra.atom.altloc.strip("\0") or "-"].append(float(value))
    rows = []
    for place, letters in residues.items():
        means = ", ".join(f"{letter} {np.mean(values):.2f}" for letter, values in sorted(letters.items()))
        rows.append((*place, sum(map(len, letters.values())), means))
    columns = Column("where", kind="text"), Column("residue", kind="text"), Column("atoms", kind="integer")
    title, said = "Residues with partial occupancies", Column("occupancies by altloc", kind="text")
    return [Table((*columns, said), tuple(rows), title=title)] if rows else []


def _compression(occupancy: Array, shape: tuple[int, ...]) -> float:
    rows, columns = shape
    return len(occupancy) / max(columns - rows, 1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
