"""Checkpoints give back what was saved, or say that they cannot."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from atomloom.errors import DataError, PluginError
from atomloom.runs import Run, checkpoint
from atomloom.runs.checkpoint import DTYPES, Checkpoint

RNG = np.random.default_rng(3)
SHAPES = [(), (0, 3), (1,), (2, 3, 4)]


def saved(folder: Path, leaves: dict[str, np.ndarray], **extra: object) -> Checkpoint:
    """What is read back of a checkpoint with these leaves."""
    path = folder / "a.safetensors"
    checkpoint.save(path, Checkpoint(1, leaves, extra, None))
    return checkpoint.load(path)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_arrays_come_back_as_they_were(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    """Values, dtype and shape survive, of scalars and of empty arrays too."""
    leaf = (RNG.normal(size=shape) * 3).astype(dtype)
    found = saved(tmp_path, {"layer/0.weight": leaf}).leaves["layer/0.weight"]
    np.testing.assert_array_equal(found, leaf, strict=True)


@pytest.mark.parametrize("leaf", [np.arange(12.0).reshape(3, 4).T, np.arange(9)[::-2], np.arange(4, dtype=">f8")])
def test_the_layout_in_memory_does_not_matter(tmp_path: Path, leaf: np.ndarray) -> None:
    """Transposed, strided and big-endian arrays keep their values."""
    np.testing.assert_array_equal(saved(tmp_path, {"a": leaf}).leaves["a"], leaf)


def test_numbers_that_are_not_finite_come_back(tmp_path: Path) -> None:
    """NaN and infinity survive in arrays and in extra, and the JSON file stays valid."""
    found = saved(tmp_path, {"a": np.array([np.nan, -np.inf])}, patience=math.inf, worst=math.nan)
    np.testing.assert_array_equal(found.leaves["a"], [np.nan, -np.inf])
    assert found.extra["patience"] == math.inf
    assert math.isnan(found.extra["worst"])
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["extra"]["patience"] == "Infinity"


def test_the_state_of_a_random_generator_comes_back(tmp_path: Path) -> None:
    """The 128-bit integers of numpy's generators survive in extra."""
    rng = np.random.default_rng(5)
    found = saved(tmp_path, {}, rng=rng.bit_generator.state)
    again = np.random.default_rng()
    again.bit_generator.state = found.extra["rng"]
    assert again.integers(2**60) == rng.integers(2**60)


@pytest.mark.parametrize("leaf", [np.array(["a"]), np.array([None]), np.zeros(2, np.complex128), np.zeros(2, "V2")])
def test_an_array_that_cannot_be_kept_is_named(tmp_path: Path, leaf: np.ndarray) -> None:
    """What safetensors does not know is refused with the leaf's name, and no file is left."""
    with pytest.raises(PluginError, match=r"^Cannot store 'w' in a checkpoint: it holds .* The engine has to"):
        saved(tmp_path, {"w": leaf})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "where"), [({"a": [1, {2}]}, "extra.x.a[1]"), ({1: 2}, "extra.x"), (np.int64(1), "extra.x")]
)
def test_extra_that_is_not_plain_is_named(tmp_path: Path, value: object, where: str) -> None:
    """What JSON would change or refuse is refused, and the message says where it is."""
    with pytest.raises(PluginError) as caught:
        saved(tmp_path, {}, x=value)
    assert caught.value.asked == f"store '{where}' in a checkpoint"


def filled(folder: Path, epochs: int = 6) -> Run:
    """A run with some checkpoints, the third epoch being the best."""
    run = Run.create(folder / "a", {}, {})
    for epoch in run.epochs(epochs, save_every=2, keep_last=2):
        epoch.save({"w": np.full(100, float(epoch.number))}, {}, score=abs(epoch.number - 3.0))
    return run


def test_which_checkpoints_are_kept(tmp_path: Path) -> None:
    """There are the latest, the best and the last of the periodic ones, each with its JSON file."""
    run = filled(tmp_path)
    stems = ["best", "epoch-00004", "epoch-00006", "latest"]
    expected = sorted(f"{stem}.{suffix}" for stem in stems for suffix in ("safetensors", "json"))
    assert sorted(path.name for path in run.files.checkpoints.iterdir()) == expected
    latest, best = run.latest(), run.best()
    assert latest is not None
    assert latest.epoch == 6
    assert best is not None
    assert best.epoch == 3
    assert json.loads((run.files.checkpoints / "best.json").read_text())["epoch"] == 3


def damage(path: Path, how: str) -> None:
    """Do something bad to a file."""
    data = path.read_bytes()
    position = {"first byte": 0, "header": 30, "middle of the arrays": -200, "last byte": -1}.get(how)
    if position is not None:
        changed = bytearray(data)
        changed[position] ^= 0x10
        data = bytes(changed)
    data = {"empty": b"", "cut short": data[:-7], "only a start": data[:5], "not one": b"hello" * 99}.get(how, data)
    path.unlink()  # checkpoints may share their contents
    path.write_bytes(data)


@pytest.mark.parametrize(
    "how",
    ["empty", "cut short", "only a start", "not one", "first byte", "header", "middle of the arrays", "last byte"],
)
def test_a_damaged_checkpoint_is_told_with_a_way_out(tmp_path: Path, how: str) -> None:
    """The message names the file and the newest one that is whole; deleting the damaged one makes that the latest."""
    run = filled(tmp_path)
    latest = run.files.checkpoint("latest")
    damage(latest, how)
    damage(run.files.checkpoint("epoch-00006"), how)
    with pytest.raises(DataError) as caught:
        run.latest()
    assert caught.value.asked == f"read '{latest}'"
    assert f"'{run.files.checkpoint('epoch-00004')}' is whole (epoch 4)" in caught.value.todo
    latest.unlink()
    run.files.checkpoint("epoch-00006").unlink()
    found = run.latest()
    assert found is not None
    assert found.epoch == 4


def test_without_a_whole_checkpoint_one_can_start_again(tmp_path: Path) -> None:
    """If all are damaged, the message says how to start from the beginning."""
    run = filled(tmp_path)
    for path in run.files.checkpoints.glob("*.safetensors"):
        damage(path, "cut short")
    with pytest.raises(DataError, match="start again from the beginning"):
        list(run.epochs(9))
    assert run.status == "failed"


def test_files_of_others_are_told_apart(tmp_path: Path) -> None:
    """A safetensors file without our metadata, or of a later format, is refused with the reason."""
    save_file({"a": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="was not written by atomloom"):
        checkpoint.load(tmp_path / "other.safetensors")
    about = {"format": 99, "version": "9.0", "epoch": 1, "score": None, "extra": {}, "digest": ""}
    save_file({"a": np.zeros(3)}, tmp_path / "later.safetensors", metadata={"atomloom": json.dumps(about)})
    with pytest.raises(DataError, match=r"it has format 99 \(of atomloom 9.0\)"):
        checkpoint.load(tmp_path / "later.safetensors")
    with pytest.raises(DataError, match="there is no such file"):
        checkpoint.load(tmp_path / "missing.safetensors")


def test_any_program_reads_the_arrays(tmp_path: Path) -> None:
    """The file is an ordinary safetensors file."""
    saved(tmp_path, {"w": np.eye(3)})
    np.testing.assert_array_equal(load_file(tmp_path / "a.safetensors")["w"], np.eye(3))
