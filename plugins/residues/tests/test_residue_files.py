"""What becomes of force errors: files, plots, a structure, a report, and the commands that make them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import gemmi
import numpy as np
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from atomloom.cli.frame import atomloom
from atomloom.data import Dataset
from atomloom.errors import ConfigError, DataError
from atomloom_residues import compute_per_residue_errors, plot_per_residue_rmse, write_on_structure
from atomloom_residues.chains import BOND, chains, energy, forces
from atomloom_residues.forces import forces_of
from atomloom_residues.residue_errors import Options, judge

DRAWS = {"draws": 200, "frames_per_block": 2}


def half(params: float, batch: object) -> np.ndarray:
    """A model whose forces are a part of the true ones."""
    return params * batch["F"]  # type: ignore[index]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Two chains of different lengths."""
    return chains(frames=24, lengths=(6, 10), seed=2)


@pytest.fixture(scope="module")
def results(dataset: Dataset) -> dict[str, object]:
    """The errors of half the true forces."""
    return compute_per_residue_errors(half, 0.5, dataset, {"model_id": "half", **DRAWS}, n_frames=48)


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints, or how it refuses."""
    done = CliRunner().invoke(atomloom, ["--quiet", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stderr if code else done.stdout


def test_what_the_dict_holds(results: dict[str, object], dataset: Dataset) -> None:
    """Half the true force is wrong by half of it, in every slot; species and masks are those of each frame."""
    null = np.sqrt(np.square(dataset["F"]).sum(axis=1))
    slot = np.concatenate([np.arange(length) for length in dataset.sizes["atom"]])
    expected = [np.sqrt(np.mean(np.square(null[slot == place] / 2))) for place in range(10)]
    assert results["rmse_per_atom"] == pytest.approx(expected, rel=1e-9)
    assert results["component_rmse_per_atom"] == pytest.approx(np.array(expected) / np.sqrt(3), rel=1e-9)
    assert results["skill_per_atom"] == pytest.approx([0.75] * 10)
    assert results["magnitude_ratio_per_atom"] == pytest.approx([0.5] * 10)
    assert np.array_equal(results["mask"], np.arange(10) < dataset.sizes["atom"][:, None])
    names = np.array([*results["aa_names"], ""])[results["species"]]  # type: ignore[misc, index]
    assert names[results["mask"]].tolist() == dataset["resname"].tolist()


def test_few_frames_are_spread_over_the_data(dataset: Dataset) -> None:
    """The first and the last are among them; an unknown option is refused."""
    found = compute_per_residue_errors(half, 0.5, dataset, DRAWS, n_frames=3)
    assert (found["n_frames"], found["mask"].sum(axis=1).tolist()) == (3, [6, 10, 10])
    with pytest.raises(ConfigError, match="the config has colour"):
        compute_per_residue_errors(half, 0.5, dataset, {"colour": "red"})


def test_plots_are_png_and_svg(results: dict[str, object], tmp_path: Path) -> None:
    """Bars by amino acid under the name asked for, and a line along each chain."""
    written = plot_per_residue_rmse(results, tmp_path / "half_per_residue_rmse.png")
    stems = ["half_per_residue_rmse", "half_per_residue_rmse_chain1", "half_per_residue_rmse_chain2"]
    assert [path.name for path in written] == [f"{stem}{suffix}" for stem in stems for suffix in (".png", ".svg")]
    assert (tmp_path / "half_per_residue_rmse.png").read_bytes().startswith(b"\x89PNG")


def as_files(folder: Path, dataset: Dataset) -> tuple[Path, Path]:
    """The data padded as NPZ in kcal/mol, and half its forces."""
    lengths = dataset.sizes["atom"]
    real = np.arange(lengths.max()) < lengths[:, None]
    padded = {name: np.zeros((*real.shape, 3)) for name in ("R", "F")}
    names = np.full(real.shape, "PAD")
    for name, values in padded.items():
        values[real] = dataset[name]
    names[real] = dataset["resname"]
    np.savez(folder / "ref.npz", **padded, resname=names, n_atoms=lengths, protein_id=dataset["protein_id"])
    np.savez(folder / "half.npz", F=padded["F"] / 2)
    return folder / "ref.npz", folder / "half.npz"


@pytest.fixture(scope="module")
def judged(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``residues errors`` fills."""
    folder = tmp_path_factory.mktemp("judged")
    reference, predicted = as_files(folder, dataset)
    worse = np.load(reference)["F"] * 0.25
    np.savez(folder / "worse.npz", forces=worse)
    pdb(folder / "chain.pdb", dataset, 10)
    options = ("--compare", folder / "worse.npz", "--structure", folder / "chain.pdb", "--protein", "chain1")
    run(
        "residues",
        "errors",
        "--forces",
        predicted,
        "--data",
        reference,
        "--out",
        folder / "out",
        "--block",
        2,
        *options,
    )
    return folder / "out"


def pdb(path: Path, dataset: Dataset, length: int) -> None:
    """A chain of alpha carbons as a PDB file."""
    frame = int(np.flatnonzero(dataset.sizes["atom"] == length)[0])
    held = dataset.take([frame]).frame(0)
    line = "ATOM  {:5d}  CA  {:3s} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  7.00           C  \n"
    rows = zip(held["resname"], held["R"], strict=True)
    path.write_text("".join(line.format(n, name, n, *at) for n, (name, at) in enumerate(rows, 1)) + "END\n")


def test_every_kind_of_file_is_written(judged: Path) -> None:
    """Text, tables, plots, a page and structures, under the names that they are known by."""
    stem = "half_per_residue_rmse"
    names = {path.name for path in judged.iterdir()}
    assert {
        f"{stem}{suffix}" for suffix in (".txt", ".csv", ".json", ".parquet", ".png", ".svg", ".cif", ".pdb")
    } <= names
    assert {"report.json", "report.txt", "index.html", "plots"} <= names


def test_tables_agree(judged: Path) -> None:
    """CSV, Parquet and JSON hold the same rows, with intervals and with the difference to the other model."""
    stem = judged / "half_per_residue_rmse"
    rows = json.loads(stem.with_suffix(".json").read_text())["rows"]
    with open(stem.with_suffix(".csv"), newline="") as file:
        in_csv = list(csv.DictReader(file))
    in_parquet = parquet.read_table(stem.with_suffix(".parquet")).to_pylist()
    assert [row["group"] for row in in_csv] == [row["group"] for row in rows] == [row["group"] for row in in_parquet]
    (whole,) = (row for row in rows if row["stratum"] == "all")
    assert whole["low"] < whole["vector_rmse"] < whole["high"]
    assert whole["other_vector_rmse"] == pytest.approx(1.5 * whole["vector_rmse"])
    assert whole["difference_low"] < whole["difference"] < whole["difference_high"] < 0
    assert {"amino acid", "class", "terminus", "protein", "residue", "secondary structure"} <= {
        r["stratum"] for r in rows
    }


def test_errors_on_a_structure(judged: Path) -> None:
    """As B factors of each residue, the same in mmCIF and PDB to the digits that PDB has."""
    rows = json.loads((judged / "half_per_residue_rmse.json").read_text())["rows"]
    expected = [row["vector_rmse"] for row in rows if row["stratum"] == "residue"][-10:]
    for suffix, digits in ((".cif", 5e-3), (".pdb", 5e-3)):
        structure = gemmi.read_structure(str(judged / f"half_per_residue_rmse{suffix}"))
        found = [atom.b_iso for chain in structure[0] for residue in chain for atom in residue]
        assert found == pytest.approx(expected, abs=digits)


def test_what_cannot_be_written_on_a_structure(dataset: Dataset, tmp_path: Path) -> None:
    """An error that says which chains there are; huge and undefined errors stay within the columns of a PDB file."""
    judgement = judge(forces_of(dataset, dataset["F"] + 1e6), options=Options(draws=10))
    pdb(tmp_path / "chain.pdb", dataset, 6)
    with pytest.raises(ConfigError, match="the data has chain0, chain1"):
        write_on_structure(judgement, tmp_path / "chain.pdb", tmp_path / "out.pdb")
    assert write_on_structure(judgement, tmp_path / "chain.pdb", tmp_path / "out.pdb", "chain0") == 6
    lines = (tmp_path / "out.pdb").read_text().splitlines()
    assert {float(line[60:66]) for line in lines if line.startswith("ATOM")} == {999.99}
    (tmp_path / "no.pdb").write_text("")
    with pytest.raises(DataError):
        write_on_structure(judgement, tmp_path / "no.pdb", tmp_path / "other.pdb", "chain0")


def test_forces_of_another_shape_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    """With what the data has."""
    reference, _ = as_files(tmp_path, dataset)
    np.savez(tmp_path / "few.npz", F=np.zeros((48, 5, 3)))
    said = run("residues", "errors", "--forces", tmp_path / "few.npz", "--data", reference, code=2)
    assert "their shape is [48, 5, 3], and the data has 48 frames of up to 10 beads" in said


def test_a_run_is_judged_by_residue(tmp_path: Path) -> None:
    """``atomloom evaluate RUN --mode per-residue``, on the prior that the plugin brings."""
    from atomloom.writers import write

    write(chains(frames=20, lengths=(6, 8), seed=1), tmp_path / "chains.npz")
    options = ("--name", "prior", "--runs", tmp_path)
    run("train", "chain-prior", "--data", tmp_path / "chains.npz", *options)
    said = run("evaluate", "prior", "--runs", tmp_path, "--mode", "per-residue")
    assert "Force errors of prior by residue" in said
    assert "Errors by amino acid" in said
    written = {path.name for path in (tmp_path / "prior" / "analysis" / "per-residue").iterdir()}
    assert {f"prior_per_residue_rmse{suffix}" for suffix in (".txt", ".png", ".svg", ".csv", ".json")} <= written


def test_the_forces_of_the_example_are_the_gradient() -> None:
    """By central differences of the energy."""
    random = np.random.default_rng(0)
    R = 3.5 * np.arange(7)[:, None] * [1.0, 0.2, -0.3] + random.normal(scale=0.6, size=(7, 3))
    names = ["ALA", "GLY", "LYS", "TRP", "LEU", "ALA", "GLY"]
    found, step = forces(R, names), 1e-5
    for bead, axis in ((0, 0), (3, 1), (6, 2)):
        shift = np.zeros_like(R)
        shift[bead, axis] = step
        slope = (energy(R + shift, names) - energy(R - shift, names)) / (2 * step)
        assert found[bead, axis] == pytest.approx(-slope, rel=1e-6, abs=1e-8)
    assert BOND[1] == 3.8
