"""Which files of a folder are the checkpoints of one training, and when they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomloom.errors import DataError
from atomloom_residues.series import find


def folder_of(tmp_path: Path, *names: str) -> Path:
    """A folder with files of these names."""
    for name in names:
        (tmp_path / name).write_bytes(b"content is not looked at")
    return tmp_path


def names(folder: Path, stage: str = "") -> list[str]:
    """The names of the files that are taken, in their order."""
    return [path.name for path in find(folder, stage).files]


def test_numbers_are_numbers(tmp_path: Path) -> None:
    """10 comes after 9, and epochs that are counted from 0 end one later than they are called."""
    series = find(folder_of(tmp_path, *(f"epoch_{number}.pkl" for number in (0, 10, 9, 70))))
    assert [path.name for path in series.files] == ["epoch_0.pkl", "epoch_9.pkl", "epoch_10.pkl", "epoch_70.pkl"]
    assert (series.times.tolist(), series.unit) == ([1, 10, 11, 71], "epoch")
    assert series.note == "epochs are counted from 0, so the file with 0 was written after the first"


def test_steps_go_before_epochs(tmp_path: Path) -> None:
    """Where a name holds both, and step 0 is the untrained state."""
    series = find(folder_of(tmp_path, "epoch=0-step=0.ckpt", "epoch=1-step=500.ckpt", "epoch=2-step=900.ckpt"))
    assert (series.times.tolist(), series.unit) == ([0, 500, 900], "step")


def test_what_is_no_checkpoint_of_this_training_is_left_out(tmp_path: Path) -> None:
    """States of failures, files without a number, and other stages, each with its reason."""
    folder = folder_of(
        tmp_path, "N0100_epoch_1.pkl", "N0200_epoch_1.pkl", "N0200_epoch_2.pkl", "epoch_3_error_state.pkl", "best.pkl"
    )
    series = find(folder)
    assert [path.name for path in series.files] == ["N0200_epoch_1.pkl", "N0200_epoch_2.pkl"]
    assert {each.path.name: each.reason for each in series.excluded} == {
        "N0100_epoch_1.pkl": "another stage or bucket than N0200_epoch#.pkl",
        "epoch_3_error_state.pkl": "the state of a failed training",
        "best.pkl": "no number in its name says when it was written",
    }
    assert names(folder, "N0100") == ["N0100_epoch_1.pkl"]


def test_a_stage_that_fits_several_is_refused(tmp_path: Path) -> None:
    """The message lists those that there are."""
    with pytest.raises(DataError, match=r"2 kinds of names have it: s1_epoch#\.pkl, s2_epoch#\.pkl"):
        find(folder_of(tmp_path, "s1_epoch_1.pkl", "s2_epoch_1.pkl"), "s")


def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    """And a missing one that it is missing."""
    with pytest.raises(DataError, match=r"it has none\. Name a folder with \.ckpt, "):
        find(tmp_path)
    with pytest.raises(DataError, match="there is no such folder"):
        find(tmp_path / "missing")
