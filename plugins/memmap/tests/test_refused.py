"""What cannot be stored, or not there, is refused before anything is written, and told."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.data import PerFrame
from atomloom.errors import ConfigError, DataError, TargetError, UnitError
from atomloom.specs import UNRESOLVED, Field
from atomloom_memmap import Store, append_to_store, write_store


def molecules(frames: int) -> Dataset:
    """Molecules of two atoms."""
    arrays = {"Z": np.ones((frames, 2), dtype=np.uint8), "R": np.zeros((frames, 2, 3)), "E": np.arange(float(frames))}
    return Dataset.from_arrays(arrays)


UNFIT: list[tuple[str, Callable[[], Dataset], type[Exception], str]] = [
    ("no frames", lambda: molecules(3)[:0], DataError, "it has no frames"),
    ("forces alone", lambda: Dataset.from_frames([{"F": [[0.0, 0, 0]]}]), DataError, "no positions R that they act at"),
    (
        "objects",
        lambda: molecules(1).with_columns({"x": PerFrame(np.array([None]))}, {"x": Field(name="x")}),
        DataError,
        "its values are Python objects. Leave it out with --as x=ignore",
    ),
    (
        "records",
        lambda: molecules(1).with_columns({"x": PerFrame(np.zeros(1, "i4,f8"))}, {"x": Field(name="x")}),
        DataError,
        "its values are of the kind",
    ),
    (
        "no unit",
        lambda: with_unit(molecules(2), "E", UNRESOLVED),
        UnitError,
        "nothing says in which unit E is held. Settle it with --unit E=UNIT",
    ),
]


@pytest.mark.parametrize(("make", "kind", "found"), [case[1:] for case in UNFIT], ids=[case[0] for case in UNFIT])
def test_what_cannot_be_stored_is_refused(
    make: Callable[[], Dataset], kind: type[Exception], found: str, tmp_path: Path
) -> None:
    """Before anything is written."""
    with pytest.raises(kind, match=re.escape(found)):
        write_store(make(), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def with_unit(data: Dataset, name: str, unit: str) -> Dataset:
    """The same values said to be in another unit."""
    return Dataset(data.columns, {**data.fields, name: data.fields[name].replace(unit=unit)}, data.meta)


UNLIKE: list[tuple[str, Callable[[Dataset], Dataset], str]] = [
    ("less", lambda data: data.without("E"), r"'E' is in '.*a' and not in the data set"),
    ("more", lambda data: data.renamed("E", Field(name="e")), r"'E' is in '.*a' and not in the data set"),
    ("unit", lambda data: with_unit(data, "E", "hartree"), r"\[\] in eV in '.*a' and \[frame\] \[\] in hartree in the"),
    (
        "level",
        lambda data: data.with_meta(level_of_theory="PBE"),
        r"at the level of theory 'B3LYP' and the data set at 'PBE'. Make a store of each",
    ),
    (
        "text",
        lambda data: data.with_columns({"E": PerFrame(np.array(["low"] * 5))}, {}),
        r"'E' is of the type float64 in '.*a' and of the type <U3 in the data set",
    ),
    (
        "integers that no type holds",
        lambda data: data.with_columns({"total_charge": PerFrame(np.arange(5))}, {}),
        r"'total_charge' is of the type uint64 in '.*a' and of the type int64 in the data set",
    ),
]


@pytest.mark.parametrize(("change", "found"), [case[1:] for case in UNLIKE], ids=[case[0] for case in UNLIKE])
def test_what_does_not_belong_behind_a_store_is_refused(
    change: Callable[[Dataset], Dataset], found: str, tmp_path: Path
) -> None:
    """Other fields, units, levels of theory and kinds of values; the store is as it was."""
    charges = {"total_charge": PerFrame(np.arange(5, dtype=np.uint64))}
    first = molecules(5).with_columns(charges, {"total_charge": Field(name="total_charge", dims=("frame",), unit="e")})
    first = first.with_meta(level_of_theory="B3LYP")
    write_store(first, tmp_path / "a")
    before = (tmp_path / "a/manifest.json").read_bytes()
    with pytest.raises(DataError, match=found):
        append_to_store(change(first), tmp_path / "a")
    assert (tmp_path / "a/manifest.json").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["manifest.json", "shards"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_no_store_is_not_replaced(what: str, tmp_path: Path) -> None:
    """It is somebody's, and neither touched nor removed."""
    target = tmp_path / "a"
    if what == "file":
        target.write_text("precious")
    else:
        target.mkdir()
        (target / "thesis.tex").write_text("ten years")
    with pytest.raises(TargetError, match=r"no packed store, and it will not be removed. Choose another name"):
        write_store(molecules(2), target)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert target.is_file() or (target / "thesis.tex").read_text() == "ten years"


def test_shards_of_no_size_are_refused(tmp_path: Path) -> None:
    """And nothing is left."""
    with pytest.raises(ConfigError, match=r"a shard of 0 MiB was asked for. Ask for one or more"):
        write_store(molecules(2), tmp_path / "a", shard_mib=0)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Is told as such."""
    with pytest.raises(TargetError, match=r"its folder does not exist. Create that folder first"):
        write_store(molecules(2), tmp_path / "no" / "a")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told as such, and a store in it is still read."""
    write_store(molecules(2), tmp_path / "a")

    def refuse(path: Any, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "mkdir", refuse)  # root, as whom tests may run, is refused nothing
    for work, name in ((write_store, "b"), (append_to_store, "a")):
        with pytest.raises(TargetError, match=r"permission is denied. Choose a place that you may write to"):
            work(molecules(2), tmp_path / name)
    assert len(Store(tmp_path / "a").dataset()["Z"]) > 0
