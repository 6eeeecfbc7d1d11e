"""Force errors by residue against a naive loop in float64, strata on known structures, and honest intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from atomloom.batching import FixedPlan, Order, Sizes, feed
from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.losses import forces as per_bead
from atomloom.numpy_backend import NumpyOps
from atomloom_residues.blocks import blocks_of, inefficiency
from atomloom_residues.bootstrap import cells_of, interval, student
from atomloom_residues.chains import chains
from atomloom_residues.force_measures import measure
from atomloom_residues.forces import NOISE, PRIOR, Forces, forces_of
from atomloom_residues.losses import forces_per_structure
from atomloom_residues.residue_errors import Options, judge
from atomloom_residues.strata import secondary_structure, strata

NAMES = np.array(["ALA", "GLY", "LYS", "TRP", "GLU"])


def proteins(frames: int = 4, lengths: tuple[int, ...] = (5, 9, 7)) -> tuple[Dataset, np.ndarray]:
    """Mixed-length frames in shuffled order, padded with what must not count, and predictions for the real beads."""
    random = np.random.default_rng(3)
    owner = random.permutation(np.repeat(np.arange(len(lengths)), frames))
    sizes = np.array(lengths)[owner]
    longest = max(lengths)
    sequences = [random.choice(NAMES, size=longest) for _ in lengths]
    real = np.arange(longest) < sizes[:, None]
    fields = {
        "R": random.normal(scale=5.0, size=(len(owner), longest, 3)),
        "F": np.where(real[..., None], random.normal(size=(len(owner), longest, 3)), 1e6),
        "resname": np.array([sequences[which] for which in owner]),
        "resid": np.tile(np.arange(10, 10 + longest), (len(owner), 1)),
        "protein_id": np.array([f"p{which}" for which in owner]),
    }
    dataset = Dataset.from_arrays(fields, lengths={"atom": sizes})
    predicted = dataset["F"] + random.normal(scale=0.3, size=dataset["F"].shape)
    return dataset, predicted


def looped(dataset: Dataset, predicted: np.ndarray, name: str) -> dict[str, float]:
    """The measures of one amino acid, one bead at a time."""
    total, null, absolute, cosine, lengths, count, start = 0.0, 0.0, 0.0, [], [0.0, 0.0], 0, 0
    for index in range(len(dataset)):
        frame = dataset.take([index]).frame(0)
        for bead, force in enumerate(frame["F"]):
            guess = predicted[start + bead]
            if frame["resname"][bead] != name:
                continue
            count += 1
            sizes = [math.sqrt(sum(float(x) ** 2 for x in vector)) for vector in (guess, force)]
            lengths = [length + size for length, size in zip(lengths, sizes, strict=True)]
            cosine.append(sum(float(a) * float(b) for a, b in zip(guess, force, strict=True)) / (sizes[0] * sizes[1]))
            for a, b in zip(guess, force, strict=True):
                total, null, absolute = total + (a - b) ** 2, null + b**2, absolute + abs(a - b)
        start += len(frame["F"])
    return {
        "beads": count,
        "vector_rmse": math.sqrt(total / count),
        "component_rmse": math.sqrt(total / (3 * count)),
        "mae": absolute / (3 * count),
        "cosine": math.fsum(cosine) / count,
        "magnitude_ratio": lengths[0] / lengths[1],
        "null_rmse": math.sqrt(null / count),
        "relative": math.sqrt(total / null),
        "skill": 1 - total / null,
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_measure_is_that_of_a_loop(name: str) -> None:
    """On frames of mixed lengths, each with its own mask and names, to 1e-9."""
    dataset, predicted = proteins()
    forces = forces_of(dataset, predicted)
    stratum = strata(forces)[0]
    found = measure(forces.predicted, forces.reference, stratum.group, len(stratum.labels))
    place = stratum.labels.index(name)
    for key, expected in looped(dataset, predicted, name).items():
        assert getattr(found, key)[place] == pytest.approx(expected, rel=1e-9, abs=1e-9), key


def test_chains_are_told_apart() -> None:
    """Every residue belongs to one chain, and its place and number are those of that chain."""
    dataset, predicted = proteins()
    forces = forces_of(dataset, predicted)
    assert sorted(forces.proteins) == ["p0", "p1", "p2"]
    by_name = {name: forces.residues.length[forces.residues.protein == n][0] for n, name in enumerate(forces.proteins)}
    assert by_name == {"p0": 5, "p1": 9, "p2": 7}
    assert (forces.residues.number - forces.residues.place == 10).all()
    ends = next(stratum for stratum in strata(forces) if stratum.name == "terminus")
    assert [int((ends.group == group).sum()) for group in range(3)] == [12, len(predicted) - 24, 12]


def test_two_sequences_under_one_name_are_two_chains() -> None:
    """Names alone do not make a protein."""
    frames = [{"F": np.ones((2, 3)), "resname": np.array(names), "protein_id": "x"} for names in (["ALA", "GLY"],) * 2]
    frames.append({"F": np.ones((2, 3)), "resname": np.array(["GLY", "ALA"]), "protein_id": "x"})
    forces = forces_of(Dataset.from_frames(frames), np.zeros((6, 3)))
    assert forces.proteins == ("x", "x #2")
    assert forces.protein_of_frame.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (np.zeros((3, 3)), r"the predictions have the shape \[3, 3\] and the reference has 84 beads"),
        (np.full((84, 3), np.nan), "84 predicted forces are not finite, that of bead 0 first"),
    ],
)
def test_predictions_that_do_not_fit(predicted: np.ndarray, message: str) -> None:
    """An error that says what does not."""
    with pytest.raises(DataError, match=message):
        forces_of(proteins()[0], predicted)


def test_secondary_structure_of_known_shapes() -> None:
    """A strand of 3.3 angstrom a residue, and a coil that is neither."""
    places = np.arange(10)
    strand = np.stack([3.3 * places, 0.9 * (-1.0) ** places, np.zeros(10)], axis=1)
    assert secondary_structure(strand).tolist() == [1] * 10
    assert secondary_structure(np.cumsum(np.eye(3)[places % 3] * 3.8, axis=0)).tolist() == [2] * 10


def test_the_inefficiency_of_a_known_process() -> None:
    """(1 + rho) / (1 - rho) of an autoregression of first order."""
    assert inefficiency(process(0.8, 200_000, np.random.default_rng(0))) == pytest.approx(9.0, rel=0.05)


def process(rho: float, steps: int, random: np.random.Generator) -> np.ndarray:
    """An autoregression of first order with unit variance."""
    noise = random.normal(size=steps) * math.sqrt(1 - rho**2)
    noise[0] = random.normal()
    values = np.empty(steps)
    last = 0.0
    for step, each in enumerate(noise):
        values[step] = last = rho * last + each if step else each
    return values


@pytest.mark.parametrize(("freedom", "expected"), [(9, 2.2622), (15, 2.1314), (60, 2.0003)])
def test_quantiles_of_students_t(freedom: int, expected: float) -> None:
    """Those of the printed tables."""
    assert student(0.975, freedom) == pytest.approx(expected, abs=1e-3)
    assert student(0.975, 10**9) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-8)


def trajectory(errors: np.ndarray) -> Forces:
    """One bead with these errors along x, frame by frame."""
    frames = len(errors)
    reference = np.tile([1.0, 2.0, 2.0], (frames, 1))
    arrays = {"F": reference[:, None], "resname": np.full((frames, 1), "ALA")}
    predicted = reference + np.stack([errors, 0 * errors, 0 * errors], axis=1)
    return forces_of(Dataset.from_arrays(arrays), predicted)


def test_no_interval_below_ten_blocks() -> None:
    """Nine blocks are a guess; the count is given either way."""
    forces = trajectory(np.random.default_rng(0).normal(size=90))
    for frames_per_block, given in ((10, False), (9, True)):
        blocks = blocks_of(forces, frames_per_block)
        found = interval(cells_of([forces], np.arange(90), blocks, by_residue=False), by_residue=False)
        assert found.blocks == 90 // frames_per_block
        assert bool(np.isfinite(found.low)) == given


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "frames"), [(0.0, 300), (0.8, 1500), (0.95, 8000)])
def test_intervals_cover_what_they_say(rho: float, frames: int) -> None:
    """Of 1000 trajectories of correlated frames 92 to 97 % have the true RMSE within their 95 % interval."""
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(1000):
        forces = trajectory(process(rho, frames, random))
        cells = cells_of([forces], np.arange(frames), blocks_of(forces), by_residue=False)
        found = interval(cells, by_residue=False, draws=1000)
        hits += found.low <= 1.0 <= found.high
    assert 920 <= hits <= 970


@pytest.mark.slow
def test_intervals_of_amino_acids_are_about_residues() -> None:
    """Where residues differ more than frames do, their number is the sample: still 92 to 97 %."""
    random, hits, count = np.random.default_rng(8), 0, 30
    for _ in range(1000):
        scales = random.gamma(4.0, 0.25, size=count)
        F = np.zeros((40, count, 3))
        errors = random.normal(size=F.shape) * scales[:, None]
        arrays = {"F": F, "resname": np.full(F.shape[:2], "ALA"), "resid": np.tile(np.arange(count), (40, 1))}
        forces = forces_of(Dataset.from_arrays(arrays), errors.reshape(-1, 3))
        cells = cells_of([forces], np.arange(len(forces.frame)), blocks_of(forces, 1), by_residue=True)
        found = interval(cells, by_residue=True, draws=1000)
        hits += found.low <= math.sqrt(3 * 4.0 * 5.0 * 0.25**2) <= found.high
    assert 920 <= hits <= 970


def test_errors_stand_beside_prior_and_noise() -> None:
    """Of each group the RMSE of a prior's forces and of the mean forces, against a plain loop."""
    dataset = chains(frames=12, lengths=(5, 8), seed=3, noise=0.2)
    random = np.random.default_rng(0)
    predicted, prior = (dataset["F"] + random.normal(scale=scale, size=dataset["F"].shape) for scale in (0.3, 0.6))
    judgement = judge(forces_of(dataset, predicted, prior=prior), options=Options(draws=10))
    for row in judgement.of("amino acid"):
        beads = dataset["resname"] == row.label
        for name, forces in ((PRIOR, prior), (NOISE, dataset["F_mean"])):
            squares = [
                float(np.sum((one - other) ** 2)) for one, other in zip(forces[beads], dataset["F"][beads], strict=True)
            ]
            assert row.baselines[name] == pytest.approx(np.sqrt(sum(squares) / len(squares)), rel=1e-12)
        assert {"prior_rmse", "noise_floor_rmse"} <= row.flat().keys()
    (whole,) = judgement.of("all")
    assert whole.baselines[NOISE] == pytest.approx(0.2 * np.sqrt(3), rel=0.1)


def test_structures_or_beads_count_alike() -> None:
    """The two losses of a batch of different lengths, padded, against means written out."""
    dataset = chains(frames=1, lengths=(4, 9, 6), seed=5)
    planned = FixedPlan(Sizes.of(dataset), Order(3, 0, shuffled=False), 4).batches(0)
    (batch,) = feed(dataset, planned, ["R", "F"])
    found = {}
    for name, loss in (("beads", per_bead), ("structures", forces_per_structure)):
        sums, counts = loss({"F": np.ones_like(batch["F"])}, batch, batch["frame_mask"].astype(float), NumpyOps())
        found[name] = sums.sum() / counts.sum()
    each = [np.square(1.0 - dataset[[frame]]["F"]).mean() for frame in range(3)]
    assert found["structures"] == pytest.approx(np.mean(each))
    assert found["beads"] == pytest.approx(np.square(1.0 - dataset["F"]).mean())
