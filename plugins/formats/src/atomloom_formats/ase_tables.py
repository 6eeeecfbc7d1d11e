"""The tables of an ASE database (SQLite): which rows there are, what all of them hold, and their values by row.

ASE keeps a structure in a row of the table ``systems``: arrays as little-endian bytes, results of a calculator in
columns of their own, and what users add as JSON in ``key_value_pairs`` and as packed arrays in ``data``. Reading
columns directly saves the time in which ASE makes its objects.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError

OLDEST = 5
"""The oldest version of ASE's tables whose columns are those read here."""

_AT_ONCE = 500  # SQLite allows a bounded number of placeholders


class Stored(NamedTuple):
    """A column of ``systems``.

    Args:
        item: shape of a row.
        dtype: of the bytes.
        ragged: whether there is a row for each atom.
    """

    item: tuple[int, ...]
    dtype: np.dtype[Any]
    ragged: bool


_FLOAT, _INT = np.dtype("<f8"), np.dtype("<i4")

COLUMNS = {
    "numbers": Stored((), _INT, True),
    "positions": Stored((3,), _FLOAT, True),
    "cell": Stored((3, 3), _FLOAT, False),
    "pbc": Stored((3,), np.dtype(np.bool_), False),
    "energy": Stored((), _FLOAT, False),
    "free_energy": Stored((), _FLOAT, False),
    "forces": Stored((3,), _FLOAT, True),
    "stress": Stored((6,), _FLOAT, False),
    "dipole": Stored((3,), _FLOAT, False),
    "charges": Stored((), _FLOAT, True),
    "magmoms": Stored((), _FLOAT, True),
    "initial_charges": Stored((), _FLOAT, True),
    "initial_magmoms": Stored((), _FLOAT, True),
    "momenta": Stored((3,), _FLOAT, True),
    "tags": Stored((), _INT, True),
}
"""What is read; not the column ``charge``, in which ASE writes 0 where nothing is known."""


class Tables:
    """An ASE database, opened for each question anew so that it can be sent to other processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = {name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "systems" not in names:
            found = f"it is an SQLite database with the tables {', '.join(sorted(names)) or 'none'}"
            raise self.error(found, "Check that ASE wrote it, or choose another --reader")
        told = self.ask("SELECT value FROM information WHERE name = 'version'") if "information" in names else []
        if not told or not str(told[0][0]).isdigit() or int(told[0][0]) < OLDEST:
            found = f"its version is {told[0][0] if told else 'not given'}, and {OLDEST} is the oldest that is read"
            raise self.error(found, "Bring it up to date by ASE: `ase db OLD.db --insert-into NEW.db`")
        self.information = "information" in names

    def ask(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows that answer a question in SQL."""
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(question, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self.error(f"SQLite says {str(error)!r}", "Check that its download or copy finished") from error

    def rows(self, columns: Sequence[str], ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Some columns of the rows with these ids, in their order."""
        for start in range(0, len(ids), _AT_ONCE):
            wanted = list(ids[start : start + _AT_ONCE])
            marks = ",".join("?" * len(wanted))
            question = f"SELECT id, {', '.join(columns)} FROM systems WHERE id IN ({marks})"
            found = {row[0]: row[1:] for row in self.ask(question, wanted)}
            for row in wanted:
                if row not in found:
                    raise self.error(f"the row {row} is gone", "Open it again")
                yield found[row]

    def counted(self) -> dict[str, int]:
        """How many rows have a value in each column."""
        names = list(COLUMNS)
        question = ", ".join(f"COUNT({name})" for name in names)
        return dict(zip(names, self.ask(f"SELECT {question} FROM systems")[0], strict=True))

    def metadata(self) -> Mapping[str, Any]:
        """The metadata of the database."""
        told = self.ask("SELECT value FROM information WHERE name = 'metadata'")
        try:
            held = json.loads(told[0][0]) if told else {}
        except ValueError:
            return {}
        return held if isinstance(held, dict) else {}

    def error(self, found: str, todo: str) -> DataError:
        """An error about the file."""
        return DataError(f"read '{self.path}' as an ASE database", found, todo)


def unpacked(tables: Tables, name: str, values: Sequence[Any], ids: Indices, atoms: Indices) -> Array:
    """A column of some rows as an array, the rows of ragged ones one behind the other."""
    stored = COLUMNS[name]
    if name == "pbc":
        return np.array([[bool(value & bit) for bit in (1, 2, 4)] for value in values])
    if not stored.item and not stored.ragged:
        return np.array(values, dtype=np.float64)
    out = []
    for row, value, count in zip(ids.tolist(), values, atoms.tolist(), strict=True):
        shape = (count, *stored.item) if stored.ragged else stored.item
        held = value if isinstance(value, bytes) else b""
        if len(held) != int(np.prod(shape, dtype=np.int64)) * stored.dtype.itemsize:
            found = f"{name} of the row {row} has {len(held)} bytes, which is not {' x '.join(map(str, shape))} numbers"
            raise tables.error(found, "Remove or repair this row")
        out.append(np.frombuffer(held, dtype=stored.dtype).reshape(shape))
    return np.concatenate(out) if stored.ragged else np.stack(out)
