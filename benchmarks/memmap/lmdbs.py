"""LMDB: raw bytes under numbers, and ASE's database in it, which fairchem trains from."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memmap import laying
from memmap.contenders import Contender, Epoch, by_batch
from memmap.molecules import Indices, Molecules, Padded, empty

_KEY = struct.Struct(">I")
_SPARE = 4  # how many times the payload the map may grow to


def write_raw(molecules: Molecules, folder: Path) -> None:
    """One record a molecule, written in the order of the keys, which packs the pages."""
    import lmdb

    items = ((_KEY.pack(index), laying.record(molecules, index)) for index in range(len(molecules)))
    with lmdb.open(str(folder / "raw.lmdb"), subdir=False, map_size=_SPARE * molecules.payload) as environment:
        with environment.begin(write=True) as transaction, transaction.cursor() as cursor:
            cursor.putmulti(items, append=True)
        environment.sync(True)


def _get(folder: Path) -> Any:
    """What gives the record of a key, without a copy."""
    import lmdb

    environment = lmdb.open(str(folder / "raw.lmdb"), subdir=False, readonly=True, lock=False, readahead=False)
    return environment.begin(buffers=True).get


def open_frombuffer(folder: Path) -> Epoch:
    """A few `numpy.frombuffer` a molecule."""
    get = _get(folder)

    def read(chosen: Indices) -> Padded:
        batch = empty(len(chosen))
        for row, index in enumerate(chosen.tolist()):
            held = get(_KEY.pack(index))
            atoms = (len(held) - 8) // 25
            batch.E[row] = np.frombuffer(held, np.float64, 1)[0]
            batch.R[row, :atoms] = np.frombuffer(held, np.float32, 3 * atoms, 8).reshape(atoms, 3)
            batch.F[row, :atoms] = np.frombuffer(held, np.float32, 3 * atoms, 8 + 12 * atoms).reshape(atoms, 3)
            batch.Z[row, :atoms] = np.frombuffer(held, np.uint8, atoms, 8 + 24 * atoms)
        return batch

    return by_batch(read)


def open_joined(folder: Path) -> Epoch:
    """The records of a batch joined and laid out together: the quickest that we know."""
    get, pack = _get(folder), _KEY.pack

    def held(chosen: Indices) -> Sequence[Any]:
        return [get(pack(index)) for index in chosen.tolist()]

    return by_batch(lambda chosen: laying.records(held(chosen)))


def write_ase(molecules: Molecules, folder: Path) -> None:
    """One ASE row a molecule."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.db import connect

    with connect(folder / "ase.aselmdb", type="aselmdb") as database:
        for index in range(len(molecules)):
            Z, R, F, E = molecules.one(index)
            atoms = Atoms(numbers=Z, positions=R)
            atoms.calc = SinglePointCalculator(atoms, energy=float(E), forces=F)
            database.write(atoms)


def _database(folder: Path) -> Any:
    from ase.db import connect

    return connect(folder / "ase.aselmdb", type="aselmdb", readonly=True)


def open_atoms(folder: Path) -> Epoch:
    """One `ase.Atoms` a molecule, which is what fairchem's data sets do."""
    database = _database(folder)

    def read(chosen: Indices) -> Padded:
        batch = empty(len(chosen))
        for place, index in enumerate(chosen.tolist()):
            atoms = database._get_row(index + 1).toatoms()
            batch.Z[place, : len(atoms)] = atoms.numbers
            batch.R[place, : len(atoms)] = atoms.positions
            batch.F[place, : len(atoms)] = atoms.calc.results["forces"]
            batch.E[place] = atoms.calc.results["energy"]
        return batch

    return by_batch(read)


def open_rows(folder: Path) -> Epoch:
    """Rows of the database alone: the quickest that we know."""
    database = _database(folder)

    def read(chosen: Indices) -> Padded:
        batch = empty(len(chosen))
        for place, index in enumerate(chosen.tolist()):
            row = database._get_row(index + 1)
            batch.Z[place, : row.natoms] = row.numbers
            batch.R[place, : row.natoms] = row.positions
            batch.F[place, : row.natoms] = row.forces
            batch.E[place] = row.energy
        return batch

    return by_batch(read)


_ASE = ("ase", "ase_db_backends", "lmdb")
CONTENDERS = (
    Contender("LMDB, frombuffer a molecule", write_raw, open_frombuffer, ("lmdb",), limit=5.0),
    Contender("LMDB, a batch joined", write_raw, open_joined, ("lmdb",)),
    Contender("aselmdb, Atoms as fairchem", write_ase, open_atoms, _ASE, molecules=5000, limit=300.0),
    Contender("aselmdb, rows", write_ase, open_rows, _ASE, molecules=5000),
)
