"""Proteins in length buckets: where frames go, what fills them up, what comes back, and what padding costs."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import atomloom
from atomloom.batching import buckets
from atomloom.cli.frame import atomloom as command
from atomloom.errors import ConfigError, DataError
from atomloom_residues import (
    BucketedDatasetLoader,
    combine_and_pad_npz,
    combine_and_pad_npz_bucketed,
    pad_individual_npz,
)
from atomloom_residues.bucket_costs import costs

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))


def protein(path: Path, beads: int, frames: int = 2, **extra: object) -> Path:
    """An NPZ of one protein, whose coordinates say where they come from."""
    R = np.arange(frames * beads * 3, dtype=np.float64).reshape(frames, beads, 3) + 1000 * beads
    numbers = {"GLY": 1, "ALA": 0} if beads % 2 else {"TRP": 0, "GLY": 1}
    names = [list(numbers)[place % 2] for place in range(beads)]
    fields = {"R": R, "F": -R, "Z": np.full(beads, 6), "resid": np.arange(beads), "resname": np.array(names)}
    fields["species"] = np.array([numbers[name] for name in names])
    fields["aa_to_id"] = np.array(numbers, dtype=object)
    np.savez(path, **(fields | extra))  # type: ignore[arg-type]
    return path


@pytest.fixture
def proteins(tmp_path: Path) -> list[Path]:
    """Proteins of 100, 101 and 230 beads."""
    return [protein(tmp_path / f"p{beads}.npz", beads) for beads in (101, 100, 230)]


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints, or how it refuses."""
    done = CliRunner().invoke(command, ["residues", "bucket", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stderr if code else done.stdout


def test_boundaries_are_inclusive(proteins: list[Path], tmp_path: Path) -> None:
    """100 beads go into the bucket of 100, and what is above all boundaries into one more."""
    made = combine_and_pad_npz_bucketed(proteins, tmp_path / "out", [100, 200])
    assert [path.name for path in made] == ["bucket_N0100.npz", "bucket_N0200.npz", "bucket_N0230.npz"]
    assert [np.load(path)["R"].shape for path in made] == [(2, 100, 3), (2, 200, 3), (2, 230, 3)]


def test_a_bucket_without_frames_is_not_written(proteins: list[Path], tmp_path: Path) -> None:
    """Nor is there one for it in what is returned."""
    made = combine_and_pad_npz_bucketed(proteins, tmp_path / "out", [50, 101, 150, 300])
    assert [path.name for path in made] == ["bucket_N0101.npz", "bucket_N0300.npz"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bucket_N0101.npz", "bucket_N0300.npz"]


def test_what_a_file_holds(proteins: list[Path], tmp_path: Path) -> None:
    """The layout of the field: dtypes, fillings, masks, counts, and one numbering of amino acids as JSON."""
    made = np.load(combine_and_pad_npz(proteins, tmp_path / "all.npz"))
    numbers = json.loads(str(made["aa_to_id"]))
    assert numbers == {"ALA": 0, "GLY": 1, "TRP": 2}
    assert (made["R"].dtype, made["F"].dtype, made["N_max"].tolist()) == (np.float32, np.float32, [230])
    assert made["n_atoms"].tolist() == [101, 101, 100, 100, 230, 230]
    assert made["protein_id"].tolist() == ["p101", "p101", "p100", "p100", "p230", "p230"]
    for name, filling in (("R", 0), ("F", 0), ("Z", 0), ("species", -1), ("resid", -1), ("resname", "PAD")):
        assert (made[name][0, 101:] == filling).all()
    assert np.array_equal(made["mask"], np.arange(230) < made["n_atoms"][:, None])
    for frame in range(6):
        real = made["mask"][frame]
        assert [numbers[name] for name in made["resname"][frame, real]] == made["species"][frame, real].tolist()


def test_every_frame_comes_back(proteins: list[Path], tmp_path: Path) -> None:
    """The reader gives the union of the buckets, unpadded, in canonical units, with its provenance."""
    combine_and_pad_npz_bucketed(proteins, tmp_path / "out", n_buckets=2, optimal=True)
    dataset, _ = atomloom.harmonize(atomloom.read(tmp_path / "out"))
    assert dataset.meta["reader"] == "buckets"
    assert sorted(dataset.sizes["atom"].tolist()) == [100, 100, 101, 101, 230, 230]
    for path in proteins:
        source = np.load(path, allow_pickle=True)
        frames = np.flatnonzero(dataset["protein_id"] == path.stem)
        batch = dataset.take(frames)
        assert np.array_equal(batch["R"], source["R"].reshape(-1, 3).astype(np.float32))
        assert batch["F"] == pytest.approx(source["F"].reshape(-1, 3) * 0.0433641, rel=1e-5)


def test_each_protein_by_itself(proteins: list[Path], tmp_path: Path) -> None:
    """Under its own name, as wide as the longest of all, with the common numbers."""
    made = pad_individual_npz(proteins, tmp_path / "out")
    assert [path.name for path in made] == ["p101.npz", "p100.npz", "p230.npz"]
    assert {np.load(path)["R"].shape for path in made} == {(2, 230, 3)}
    assert len({str(np.load(path)["aa_to_id"]) for path in made}) == 1


def test_padded_files_can_be_combined_again(proteins: list[Path], tmp_path: Path) -> None:
    """Their masks say what is real, and frames of one file go into different buckets."""
    once = combine_and_pad_npz(proteins, tmp_path / "once.npz")
    again = combine_and_pad_npz_bucketed([once], tmp_path / "again", [100, 101])
    direct = combine_and_pad_npz_bucketed(proteins, tmp_path / "direct", [100, 101])
    for one, other in zip(again, direct, strict=True):
        loaded, expected = np.load(one), np.load(other)
        assert all(np.array_equal(loaded[name], expected[name]) for name in expected.files)


def test_the_loader_has_one_shape_for_each_bucket(proteins: list[Path], tmp_path: Path) -> None:
    """Every frame once an epoch, padded to the width of its bucket, and no more frames than asked for."""
    combine_and_pad_npz_bucketed(proteins, tmp_path / "out", [101, 230])
    loader = BucketedDatasetLoader(tmp_path / "out")
    assert [(width, len(bucket)) for width, bucket in loader.buckets] == [(101, 4), (230, 2)]
    for width, bucket in loader.buckets:
        batches = list(bucket.batches(3))
        assert {batch["R"].shape for batch in batches} == {(3 * width, 3)}
        assert sum(batch.frames for batch in batches) == len(bucket)
    assert len(loader.union) == 6
    assert loader.aa_to_id == {"ALA": 0, "GLY": 1, "TRP": 2}
    few = BucketedDatasetLoader(tmp_path / "out", max_frames=1, seed=3)
    assert [len(bucket) for _, bucket in few.buckets] == [1, 1]


def test_quantiles_and_optimal(tmp_path: Path) -> None:
    """Equal counts are of frames, not of distinct lengths; the best cut wastes least of all cuts of two."""
    lengths = np.repeat([10, 11, 12, 50, 60], [5, 1, 1, 2, 1])
    rows = {cost.layout: cost for cost in costs(lengths, buckets.equal_counts(lengths, 2).tolist())}
    best = min(buckets.waste(lengths, [cut, 60]) for cut in (10, 11, 12, 50))
    assert rows["optimal buckets"].beads == pytest.approx(best, abs=1e-12)
    assert rows["one width"].beads == pytest.approx(1 - lengths.sum() / (60 * 10), abs=1e-12)


def test_the_command_prints_what_padding_costs(proteins: list[Path], tmp_path: Path) -> None:
    """In the words of the issue, boundaries as several numbers."""
    said = run(*proteins, "--out", tmp_path / "out", "--bucket-boundaries", 101, 230)
    assert [line.split()[0] for line in said.splitlines()] == ["layout", "one", "these", "optimal", "packing"]
    assert "101 230" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bucket_N0101.npz", "bucket_N0230.npz"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--bucket-boundaries 10 --no-combine", "--bucket-boundaries and --no-combine exclude each other"),
        ("--n-buckets 2 --no-combine", "--n-buckets and --no-combine exclude each other"),
        ("--bucket-boundaries 10 20 --n-buckets 2", "--bucket-boundaries and --n-buckets exclude each other"),
        ("--bucket-boundaries 200 100", "[200, 100] are not ascending lengths from 1 on"),
    ],
)
def test_what_excludes_each_other(options: str, message: str, proteins: list[Path], tmp_path: Path) -> None:
    """Exit code 2, and no folder."""
    assert message in run(*proteins, "--out", tmp_path / "out", *options.split(), code=2)
    assert not (tmp_path / "out").exists()


WRONG = {
    "no positions": ({"F": np.zeros((2, 5, 3))}, "it has F and no R"),
    "another shape": ({"R": np.zeros((2, 5, 3)), "species": np.zeros(4)}, r"species has the shape \[4\] and R \[2, 5"),
    "gaps": ({"R": np.zeros((1, 3, 3)), "mask": np.array([[1, 0, 1]])}, "its mask has gaps"),
    "a count": ({"R": np.zeros((1, 3, 3)), "N": np.array([4])}, "N does not say how many of 3 beads"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_protein(what: str, tmp_path: Path) -> None:
    """An error that names the file and what it lacks."""
    fields, message = WRONG[what]
    np.savez(tmp_path / "wrong.npz", **fields)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message):
        combine_and_pad_npz([tmp_path / "wrong.npz"], tmp_path / "out.npz")


def test_species_without_names_beside_named_ones(tmp_path: Path) -> None:
    """Cannot be numbered together with them."""
    np.savez(tmp_path / "a.npz", R=np.zeros((1, 3, 3)), species=np.zeros(3, int))
    with pytest.raises(DataError, match="says neither aa_to_id nor resname"):
        combine_and_pad_npz([protein(tmp_path / "b.npz", 5), tmp_path / "a.npz"], tmp_path / "out.npz")


def test_two_files_of_one_name(tmp_path: Path) -> None:
    """Cannot be padded side by side."""
    (tmp_path / "other").mkdir()
    paths = [protein(tmp_path / "a.npz", 5), protein(tmp_path / "other" / "a.npz", 5)]
    with pytest.raises(ConfigError, match=r"two are called 'a\.npz'"):
        pad_individual_npz(paths, tmp_path / "out")


def test_the_chains_of_atlas() -> None:
    """50 to 500 residues: three optimal buckets waste 26.65 %, one width 59.9 %, packing less than 5 %."""
    path = SHARED / "lengths" / "atlas_lengths.csv"
    if not path.exists():
        pytest.skip("the lengths of ATLAS are not here; ATOMLOOM_SHARED_DATA names the folder that has them")
    with open(path) as file:
        lengths = np.array([int(row["length"]) for row in csv.DictReader(file)])
    lengths = lengths[(lengths >= 50) & (lengths <= 500)]
    rows = {cost.layout: cost for cost in costs(lengths, buckets.optimal(lengths, 3).tolist())}
    assert rows["one width"].beads == pytest.approx(0.599, abs=5e-4)
    assert rows["optimal buckets"].beads == pytest.approx(0.2665, abs=5e-5)
    assert rows["packing"].beads < 0.05
    assert (rows["optimal buckets"].compilations, rows["packing"].compilations) == (3, 1)
