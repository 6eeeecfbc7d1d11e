"""Levels of theory: each frame's own where sources differ, numbers for models, and a split that keeps rare states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atomloom import DataError, Dataset
from atomloom.data.levels import INDEX, at_level, levels_of, numbered
from atomloom.experiment import Source, Split
from atomloom.pipeline.sources import load_data
from atomloom.pipeline.splitting import split
from atomloom.writers import write


def molecules(count: int, **fields: list[float]) -> Dataset:
    """Hydrogen molecules with an energy."""
    rows = np.arange(count, dtype=float)
    positions = np.zeros((count, 2, 3))
    positions[:, 1, 2] = 0.7 + 0.01 * rows
    return Dataset.from_arrays({"Z": np.ones((count, 2), int), "R": positions, "E": -31.0 + rows, **fields})


def sources(folder: Path, said: dict[str, str | None], **level: str) -> Dataset:
    """Files of two frames each, with what is said of their level in them and in the experiment."""
    units = {"E": "eV", "R": "angstrom"}
    for name, own in said.items():
        write(molecules(2).with_meta(**({"level_of_theory": own} if own else {})), folder / f"{name}.npz")
    found = [
        Source(path=str(folder / f"{name}.npz"), reader="npz", units=units, level=level.get(name)) for name in said
    ]
    return load_data(found).dataset


def test_frames_of_sources_at_different_levels_say_their_own(tmp_path: Path) -> None:
    """By what their files say, or what the experiment says in place of that."""
    both = sources(tmp_path, {"one": "PBE", "two": None}, two="CCSD(T)")
    assert both["level"].tolist() == ["PBE", "PBE", "CCSD(T)", "CCSD(T)"]
    assert levels_of(both) == ("CCSD(T)", "PBE")
    assert numbered(both, levels_of(both))[INDEX].tolist() == [1, 1, 0, 0]


def test_sources_at_one_level_need_no_field(tmp_path: Path) -> None:
    """The data set says it as a whole."""
    same = sources(tmp_path, {"one": "PBE", "two": "PBE"})
    assert "level" not in same
    assert levels_of(same) == ("PBE",)
    assert INDEX not in numbered(same, ("PBE",))


def test_a_source_that_does_not_say_its_level_is_named_beside_others(tmp_path: Path) -> None:
    """Where two others differ nobody guesses the third."""
    three = sources(tmp_path, {"one": "PBE", "two": "HF", "three": None})
    with pytest.raises(DataError, match=r"some frames are at HF, PBE, and others do not say.*level = \"\.\.\.\""):
        levels_of(three)


@pytest.mark.parametrize("level", ["B3LYP", None])
def test_a_missing_or_unknown_level_is_answered_with_those_that_there_are(level: str | None) -> None:
    """None of them is a default."""
    data = molecules(2) if level is None else at_level(molecules(2), level)
    with pytest.raises(DataError, match=r"and the model was trained on HF and PBE\. Name one of these with --level"):
        numbered(data, ("HF", "PBE"))


def test_a_model_of_one_level_refuses_another() -> None:
    """It is not taken for the one that it knows."""
    with pytest.raises(DataError, match="there is no level 'HF', and the model was trained on PBE"):
        numbered(at_level(molecules(1), "HF"), ("PBE",))


def test_every_value_of_a_stratified_field_is_trained_on() -> None:
    """The rarest too, and each is divided by the same shares; groups stay together."""
    charge = np.r_[np.zeros(80), np.ones(20), 2.0]
    data = molecules(101, total_charge=charge)
    for seed in range(20):
        parts = split(data, Split(seed=seed, stratify=["total_charge"]))
        assert set(charge[parts.train]) == {0.0, 1.0, 2.0}
        assert (charge[parts.test] == 1.0).sum() == 2
    parts = split(data, Split(seed=1, stratify=["total_charge"], group="E"))
    assert set(charge[parts.train]) == {0.0, 1.0, 2.0}


def test_a_field_to_stratify_by_has_a_value_for_each_frame() -> None:
    """An error lists those that do."""
    with pytest.raises(DataError, match=r"no value of 'R' for each frame\. Name some of E"):
        split(molecules(10), Split(stratify=["R"]))
