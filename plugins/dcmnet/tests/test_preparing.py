"""What data a training takes: layouts of arrays, formats of files and several files, all of them tried in training."""

from __future__ import annotations

import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from atomloom.errors import AmbiguousData, DataError
from atomloom.pipeline import prepare
from atomloom.readers import read
from atomloom.runs import Run
from atomloom.writers import write
from atomloom_dcmnet.bundled import small_molecules
from atomloom_dcmnet.example import surfaces
from atomloom_dcmnet.lattice import lattice, on_lattice
from atomloom_dcmnet.preparing import prepare_datasets, seed_of
from atomloom_dcmnet.training import bundled_file, config_of, run_training

FRAMES = 6
UNITS = {"R": "angstrom", "vdw_surface": "angstrom", "esp": "hartree/e", "total_charge": "e"}
TINY = {"n_dcm": 2, "features": 4, "layers": 1, "basis_functions": 2, "num_epochs": 1, "batch_size": 2}


def _padded(rows: list[np.ndarray], fill: float = 0.0) -> np.ndarray:
    longest = max(map(len, rows)) + 2
    wide = [np.concatenate([row, np.full((longest - len(row), *row.shape[1:]), fill)]) for row in rows]
    return np.stack(wide)


@pytest.fixture(scope="module")
def arrays():
    """The layout of the published data: atoms padded with Z = 0 at the origin, points with 10000 angstrom."""
    frames = [surfaces().take([number]).frame(0) for number in range(FRAMES)]
    dipoles = np.stack([frame["D"] for frame in frames])
    return {
        "R": _padded([frame["R"] for frame in frames]),
        "Z": _padded([frame["Z"] for frame in frames]).astype(int),
        "N": np.array([[len(frame["Z"])] for frame in frames]),
        "mono": _padded([frame["mono"] for frame in frames]),
        "esp": _padded([frame["esp"] for frame in frames]),
        "vdw_surface": _padded([frame["vdw_surface"] for frame in frames], 10000.0),
        "n_grid": np.array([len(frame["esp"]) for frame in frames]),
        "Dxyz": dipoles,
        "D": np.linalg.norm(dipoles, axis=1, keepdims=True),
        "Q": np.stack([frame["quadrupole"] for frame in frames]),
    }


LAYOUTS = {
    "published": lambda a: a,
    "esp_grid": lambda a: {("esp_grid" if name == "vdw_surface" else name): rows for name, rows in a.items()},
    "points without a count": lambda a: {name: rows for name, rows in a.items() if name != "n_grid"},
    "dipoles as D": lambda a: {**{name: rows for name, rows in a.items() if name != "Dxyz"}, "D": a["Dxyz"]},
    "quadrupoles in a row": lambda a: {**a, "Q": a["Q"].reshape(FRAMES, 9)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_arrays_holds_the_same_molecules(arrays, tmp_path, layout):
    """Nothing is left of the padding, and every field is what it was."""
    np.savez(tmp_path / "data.npz", **LAYOUTS[layout](arrays))
    found = prepare_datasets(0, 3, 1, [str(tmp_path / "data.npz")])
    assert [len(part) for part in found[:3]] == [3, 1, 2]
    whole = prepare_datasets(0, FRAMES, 0, str(tmp_path / "data.npz")).train
    for name in ("Z", "R", "mono", "vdw_surface", "esp", "D", "quadrupole"):
        assert whole[name] == pytest.approx(surfaces()[name], abs=1e-9), name


def test_total_charges_as_q_are_total_charges(arrays, tmp_path):
    """By their size; six numbers for six atoms are asked about, and `read_as` settles it."""
    totals = np.array([surfaces().take([number])["total_charge"][0] for number in range(FRAMES)])
    np.savez(tmp_path / "totals.npz", **{**arrays, "Q": totals[:, None]})
    found = prepare_datasets(0, FRAMES, 0, str(tmp_path / "totals.npz"))
    assert found.train["total_charge"].tolist() == totals.tolist()
    np.savez(tmp_path / "six.npz", **{**arrays, "Q": arrays["Q"][:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]})
    if arrays["Z"].shape[1] == 6:
        with pytest.raises(AmbiguousData):
            prepare_datasets(0, FRAMES, 0, str(tmp_path / "six.npz"))
    said = {"Q": "quadrupole(xx,yy,zz,xy,xz,yz)"}
    settled = prepare_datasets(0, FRAMES, 0, str(tmp_path / "six.npz"), read_as=said)
    assert settled.train["quadrupole"] == pytest.approx(surfaces()["quadrupole"], abs=1e-9)


def test_many_files_are_one_data_set(tmp_path):
    """In their order, with their own numbers of atoms and points; a key is the same division every time."""
    for number in range(3):
        write(surfaces(0.05 + 0.01 * number)[number : number + 4].without("dcm_charges"), tmp_path / f"{number}.npz")
    files = [str(tmp_path / f"{number}.npz") for number in range(3)]
    one, other = (prepare_datasets(jax.random.key(3), 8, 3, filename=files) for _ in range(2))
    assert [len(part) for part in one[:3]] == [8, 3, 1]
    assert one.train["R"].tolist() == other.train["R"].tolist()
    assert len(set(one.train.sizes["grid"].tolist())) > 1
    assert [len(part) for part in prepare_datasets(3, 8, 3, str(tmp_path / "*.npz"))[:3]] == [8, 3, 1]
    assert seed_of(jax.random.key(3)) == seed_of(jax.random.PRNGKey(3)) == 3


def test_more_frames_than_there_are_cannot_be_drawn(tmp_path):
    """Nor frames of more atoms than were allowed."""
    write(surfaces().without("dcm_charges"), tmp_path / "data.npz")
    with pytest.raises(DataError, match=r"Cannot train on 5 frames and watch 2: there are 6\. Lower num_train"):
        prepare_datasets(0, 5, 2, str(tmp_path / "data.npz"))
    with pytest.raises(DataError, match=r"a frame has \d atoms, and natoms is 2\. Leave natoms out"):
        prepare_datasets(0, 3, 2, str(tmp_path / "data.npz"), natoms=2)


def test_a_file_without_monopoles_is_never_joined_with_zeros(arrays, tmp_path):
    """Beside one that has them it is refused; alone, the loss is off, and named it stops the training."""
    np.savez(tmp_path / "with.npz", **arrays)
    bare = {name: rows[:4] for name, rows in arrays.items() if name != "mono"}
    np.savez(tmp_path / "bare.npz", **bare, total_charge=np.zeros(4))
    with pytest.raises(DataError, match=r"'mono' is in 'with\.npz' and not in 'bare\.npz'"):
        prepare_datasets(0, 4, 2, [str(tmp_path / "with.npz"), str(tmp_path / "bare.npz")])
    settled = {"num_train": 3, "num_valid": 1, "batch_size": 2, "units": UNITS}
    config = config_of(str(tmp_path / "bare.npz"), settled)
    assert [loss.name for loss in prepare(config.experiment(4)).losses] == ["potential"]
    with pytest.raises(DataError, match="mono"):
        prepare(config_of(str(tmp_path / "bare.npz"), {**settled, "chg_w": 3.0}).experiment(4))


def _hydrocarbons():
    """Four made-up molecules of the same elements, so that any of them may be trained on."""
    return surfaces()[np.array([0, 1, 2, 4])].without("dcm_charges")


def _cubes(folder):
    """Cube files of the potential of made-up molecules, coarse and of different sizes."""
    for number in range(4):
        held = _hydrocarbons().take([number])
        points = lattice(held["R"], 1.2, 3.0)
        charges = held["mono"] - held["mono"].mean()
        frame = on_lattice(held["Z"], held["R"], charges, held["R"], points)
        write(frame, folder / f"{number}.cube")
    return str(folder / "*.cube"), {"assume_charge": 0}


def _records(folder):
    """Records of openff-recharge: two hydroxides."""
    record = {
        "tagged_smiles": "[H:1][O-:2]",
        "conformer": [[0.0, 0.0, 0.97], [0.0, 0.0, 0.0]],
        "grid_coordinates": [[0.0, 0.0, 3.2], [0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, -2.7]],
        "esp": [[-0.11], [-0.2], [-0.2], [-0.25]],
        "electric_field": None,
    }
    shorter = {**record, "grid_coordinates": record["grid_coordinates"][:3], "esp": record["esp"][:3]}
    (folder / "records.json").write_text(json.dumps([record, shorter, record, shorter]))
    return str(folder / "records.json"), {}


def _store(folder):
    """A packed store."""
    write(_hydrocarbons(), folder / "store", writer="memmap")
    return str(folder / "store"), {}


@pytest.mark.parametrize("source", [_cubes, _records, _store], ids=["cubes", "records", "store"])
def test_a_network_is_trained_on_what_a_group_has(tmp_path, source):
    """One epoch on ragged grids; what the data lack is no part of the loss."""
    path, options = source(tmp_path)
    params, loss, folder = run_training(
        path, tmp_path / "runs", name="any", num_train=2, num_valid=1, **TINY, **options
    )
    assert np.isfinite(loss)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params))
    kept = {file.name for file in (folder / "analysis").iterdir()}
    assert kept >= {"best_analysis.json", "predictions.csv", "training_history.csv"}
    columns = Run.open(folder).metrics()
    assert "train/esp/rmse" in columns
    assert ("train/mono/rmse" in columns) == (source is _store)


def test_the_one_line_training_of_the_shell(tmp_path):
    """With all flags that its Python twin has as arguments."""
    write(_hydrocarbons(), tmp_path / "data.npz")
    words = "--name first --num-epochs 1 --batch-size 1 --gradient-accumulation-steps 2 --use-lr-schedule"
    more = "--lr-schedule-type cosine --n-dcm 1 --features 4 --layers 1 --num-train 2 --num-valid 1 --natoms 60"
    call = [sys.executable, "-m", "atomloom_dcmnet.train_runner", "--data", "data.npz", *words.split(), *more.split()]
    found = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "The loss of the best epoch is" in found.stdout
    run = Run.open(tmp_path / "runs" / "first")
    assert run.config["training"]["gradient_accumulation_steps"] == 2
    assert run.provenance["split"]["train"] == 2
    assert (run.folder / "analysis" / "predictions.csv").is_file()


def test_the_molecules_of_the_package_are_data_too(tmp_path):
    """What is trained on where nothing is named: a file beside the runs, so that they are resumed as others."""
    kept, data = read(bundled_file(tmp_path / "runs")), small_molecules()
    for name in ("Z", "R", "mono", "esp", "vdw_surface", "total_charge"):
        assert kept[name] == pytest.approx(data[name]), name
