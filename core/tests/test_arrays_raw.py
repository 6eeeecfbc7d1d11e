"""Arrays in files without a header: the bytes of numpy.memmap, with the care that .npy files get."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom.arrays import open_raw
from atomloom.arrays.place import File
from atomloom.errors import DataError
from atomloom.rows import Rows


@pytest.fixture
def positions(tmp_path: Path) -> np.ndarray[Any, Any]:
    """What `tmp_path / "R"` holds, as numpy.memmap writes it."""
    values = np.random.default_rng(0).normal(size=(50, 3)).astype("<f4")
    mapped = np.memmap(tmp_path / "R", mode="w+", dtype=values.dtype, shape=values.shape)
    mapped[:] = values
    mapped.flush()
    return values


@pytest.mark.parametrize(
    "which", [slice(None), slice(10, 20), slice(None, None, -7), np.array([40, 2, 2, 49])], ids=str
)
def test_rows_are_those_of_numpy(which: Any, positions: np.ndarray[Any, Any], tmp_path: Path) -> None:
    """Any rows come back bit for bit, in the order asked for."""
    rows = open_raw(tmp_path / "R", "<f4", (3,))
    assert isinstance(rows, Rows)
    assert (rows.shape, rows.dtype) == (positions.shape, positions.dtype)
    assert rows[which].tobytes() == positions[which].tobytes()
    assert np.asarray(rows).tobytes() == positions.tobytes()


def test_nothing_is_read_on_opening(
    positions: np.ndarray[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of a file is all that opening looks at."""
    for name in ("read", "mapping"):
        monkeypatch.setattr(File, name, lambda *given: pytest.fail("read"))
    assert open_raw(tmp_path / "R", "<f4").shape == (150,)


def test_a_file_of_nothing_has_no_rows(tmp_path: Path) -> None:
    """No molecules are no error of the file."""
    (tmp_path / "E").write_bytes(b"")
    rows = open_raw(tmp_path / "E", "<f8", (2,))
    assert (rows.shape, rows[:].shape, rows[...].shape) == ((0, 2), (0, 2), (0, 2))


def test_a_pickle_is_the_path(positions: np.ndarray[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go to another process without their values, and find their file from any folder."""
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(open_raw("R", "<f4", (3,)))
    monkeypatch.chdir("/")
    assert len(sent) < 500
    assert pickle.loads(sent)[...].tobytes() == positions.tobytes()
    os.truncate(tmp_path / "R", 120)
    with pytest.raises(DataError, match="it had 50 rows when it was opened first, and now it has 10"):
        pickle.loads(sent)


def test_a_file_that_shrinks_is_an_error(positions: np.ndarray[Any, Any], tmp_path: Path) -> None:
    """What was there on opening and is gone is told; no zeros are made up and nothing dies of it."""
    rows = open_raw(tmp_path / "R", "<f4", (3,))
    assert rows[np.array([0, 49])].shape == (2, 3)
    os.truncate(tmp_path / "R", 300)
    for which in (slice(None), np.array([0, 49])):
        with pytest.raises(DataError, match="the file shrank from 600 to 300 bytes while it was in use"):
            rows[which]


def test_sizes_that_are_no_rows(positions: np.ndarray[Any, Any], tmp_path: Path) -> None:
    """A file that was cut off within a row is an error, and so is one that is not there."""
    os.truncate(tmp_path / "R", 599)
    with pytest.raises(DataError) as caught:
        open_raw(tmp_path / "R", "<f4", (3,))
    assert str(caught.value) == (
        f"Cannot read '{tmp_path / 'R'}': it has 599 bytes, which is no whole number of rows of 12 bytes "
        "(float32 [3]). Check that it was written and copied completely, or write it again."
    )
    with pytest.raises(DataError, match="there is no such file"):
        open_raw(tmp_path / "F", "<f4", (3,))
    with pytest.raises(ValueError, match="do not lie in files"):
        open_raw(tmp_path / "R", object)
