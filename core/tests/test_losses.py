"""Losses and the functions that they are written in: exact sums and counts, padding that never matters."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom import Dataset, registry
from atomloom.batching import PaddedBatch, Shape, pad
from atomloom.numpy_backend import NumpyOps

OPS = NumpyOps()
FIELDS = {"energy": "E", "energy_per_atom": "E", "forces": "F", "charges": "mono", "dipole": "D"}
LENGTHS = st.lists(st.integers(1, 4), min_size=1, max_size=6)


def loss(name: str) -> Callable[..., tuple[Any, Any]]:
    """A loss of core, as the registry gives it."""
    found: Callable[..., tuple[Any, Any]] = registry.resolve(registry.registry().get("losses", name).spec.load)
    return found


def frames_of(lengths: list[int], seed: int) -> Dataset:
    """Random references for frames of these lengths."""
    random, total, frames = np.random.default_rng(seed), sum(lengths), len(lengths)
    shapes = {"E": (frames,), "F": (total, 3), "mono": (total,), "D": (frames, 3)}
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return Dataset.from_arrays({"Z": np.ones(total, int), **arrays}, lengths={"atom": lengths})


def padded(dataset: Dataset, frames: list[int], spare: int = 0) -> PaddedBatch:
    """Some frames with `spare` slots too many along each axis."""
    batch = dataset.take(frames)
    return pad(batch, Shape(len(frames) + spare, int(batch.sizes["atom"].sum()) + 2 * spare))


def of(name: str, predicted: Dataset, target: Dataset, frames: list[int], spare: int = 0, junk: float = 0.0) -> Any:
    """A loss over some frames, with `junk` as what the model gives for padding."""
    batch, given = padded(target, frames, spare), dict(padded(predicted, frames, spare))
    masks = {"E": "frame_mask", "D": "frame_mask", "F": "atom_mask", "mono": "atom_mask"}
    for field, mask in masks.items():
        given[field] = np.where(batch[mask].reshape(-1, *[1] * (given[field].ndim - 1)), given[field], junk)
    return loss(name)(given, batch, batch["frame_mask"].astype(float), OPS)


def slowly(name: str, predicted: Dataset, target: Dataset, frame: int) -> tuple[float, int]:
    """Sum and count over one frame, value by value."""
    one, other = (data.take([frame]).frame(0) for data in (predicted, target))
    field, atoms = FIELDS[name], len(other["Z"])
    pairs = list(zip(np.ravel(one[field]).tolist(), np.ravel(other[field]).tolist(), strict=True))
    scale = atoms if name == "energy_per_atom" else 1
    return sum(((a - b) / scale) ** 2 for a, b in pairs), len(pairs)


@pytest.mark.parametrize("name", FIELDS)
@given(lengths=LENGTHS, spare=st.integers(0, 3), junk=st.sampled_from([0.0, 7.0, math.nan, math.inf]))
def test_losses_equal_loops_over_values(name: str, lengths: list[int], spare: int, junk: float) -> None:
    """Sums and counts of every frame are those of a loop; padding counts nothing, whatever a model gives there."""
    predicted, target = frames_of(lengths, 1), frames_of(lengths, 2)
    frames = list(range(len(lengths)))
    sums, counts = of(name, predicted, target, frames, spare, junk)
    expected = [slowly(name, predicted, target, frame) for frame in frames]
    np.testing.assert_allclose(sums, [total for total, _ in expected] + [0.0] * spare, rtol=1e-12)
    assert counts.tolist() == [count for _, count in expected] + [0] * spare


@pytest.mark.parametrize("name", FIELDS)
@given(lengths=LENGTHS, cut=st.integers(0, 6))
def test_micro_batches_add_up(name: str, lengths: list[int], cut: int) -> None:
    """Cutting a batch in two changes neither the sum of a frame, nor the count, in any bit."""
    predicted, target = frames_of(lengths, 1), frames_of(lengths, 2)
    frames = list(range(len(lengths)))
    whole = of(name, predicted, target, frames)
    parts = [of(name, predicted, target, part, 2) for part in (frames[:cut], frames[cut:]) if part]
    for number in (0, 1):
        together = [values for part in parts for values in part[number].tolist()[:-2]]
        assert together == whole[number].tolist()


@pytest.mark.parametrize("name", FIELDS)
def test_a_loss_is_zero_at_the_truth(name: str) -> None:
    """Nothing is lost where predictions and references agree."""
    data = frames_of([2, 3], 0)
    sums, counts = of(name, data, data, [0, 1])
    assert not sums.any()
    assert (counts > 0).all()


@pytest.mark.parametrize("name", FIELDS)
def test_weights_scale_frames(name: str) -> None:
    """A weight of a frame multiplies its sum and its count alike."""
    predicted, target = frames_of([2, 3], 1), frames_of([2, 3], 2)
    batch, given = padded(target, [0, 1]), padded(predicted, [0, 1])
    once = loss(name)(given, batch, np.array([1.0, 1.0]), OPS)
    weighted = loss(name)(given, batch, np.array([0.0, 2.5]), OPS)
    for one, other in zip(once, weighted, strict=True):
        np.testing.assert_allclose(other, one * [0.0, 2.5])


def test_segments_are_summed_as_in_a_loop() -> None:
    """Rows of one segment add up wherever they stand, and empty segments are zero."""
    values, segments = np.arange(8.0).reshape(4, 2), np.array([2, 0, 2, 2])
    assert OPS.segment_sum(values, segments, 4).tolist() == [[2.0, 3.0], [0.0, 0.0], [10.0, 13.0], [0.0, 0.0]]


def scaled_bessel(x: Fraction) -> float:
    """I0(x) exp(-x) from both power series, in exact fractions: sum (x/2)^2k / k!^2 over sum x^k / k!."""
    bessel = exponential = term_i = term_e = Fraction(1)
    square = (x / 2) ** 2
    for k in range(1, int(4 * x) + 60):
        term_i = limited(term_i * square / k**2)
        term_e = limited(term_e * x / k)
        bessel, exponential = bessel + term_i, exponential + term_e
    return float(bessel / exponential)


def limited(term: Fraction) -> Fraction:
    """A term to 200 binary digits after the point, so that fractions stay small."""
    return Fraction(round(term * 2**200), 2**200)


@pytest.mark.parametrize(
    "x", ["0", "0.001", "0.5", "1", "3.75", "7.9", "15", "29.99", "30", "30.01", "50", "100", "300"]
)
def test_the_bessel_function_equals_its_series(x: str) -> None:
    """i0e agrees with the power series summed exactly, to the last digits, also where the formula changes."""
    assert float(OPS.i0e(np.array(x))) == pytest.approx(scaled_bessel(Fraction(x)), rel=2e-15)


def test_the_bessel_function_is_even_and_bounded() -> None:
    """It never overflows, is symmetric, and falls from 1 to 0."""
    x = np.array([0.0, 1e-300, 5.0, 1e5, 1e300, np.inf])
    values = OPS.i0e(x)
    assert values[0] == 1.0
    assert values[-1] == 0.0
    assert (np.diff(values) <= 0).all()
    np.testing.assert_array_equal(OPS.i0e(-x), values)
    assert np.isnan(OPS.i0e(np.array([np.nan]))).all()


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=5))
def test_logsumexp_equals_its_definition(values: list[float]) -> None:
    """log(sum(exp(x))) with the largest value taken out, as `math.fsum` gives it."""
    top = max(values)
    expected = top + math.log(math.fsum(math.exp(value - top) for value in values))
    assert float(OPS.logsumexp(np.array(values))) == pytest.approx(expected, rel=1e-14, abs=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-np.inf, -np.inf], -np.inf),
        ([np.inf, 1.0], np.inf),
        ([1e308, 1e308], 1e308),
        ([-1e308, -np.inf], -1e308),
        ([0.0] * 4, math.log(4)),
    ],
)
def test_logsumexp_has_no_overflow(values: list[float], expected: float) -> None:
    """Infinities and huge values come out as they should, without a warning."""
    assert float(OPS.logsumexp(np.array(values))) == pytest.approx(expected)


def test_logsumexp_runs_along_any_axis() -> None:
    """The axis that is summed over is gone."""
    values = np.log(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(OPS.logsumexp(values, axis=0), np.log([4.0, 6.0]))
    np.testing.assert_allclose(OPS.logsumexp(values, axis=1), np.log([3.0, 7.0]))
