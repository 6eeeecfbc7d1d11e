"""Exact total charge, Coulomb energy, nuclear repulsion and moments, against closed forms and another program."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.test_util import check_grads
from scipy.stats import ortho_group

from atomloom.errors import ConfigError
from atomloom_jax.blocks import (
    COULOMB,
    Frames,
    Pairs,
    centroid,
    conserve,
    coulomb_energy,
    damped_inverse,
    dipole,
    quadrupole,
    screening,
    second_moment,
    zbl_energy,
)
from atomloom_jax.blocks.zbl import AMPLITUDES

CODATA = 14.3996454784  # eV angstrom / e^2, from e^2 / (4 pi epsilon_0) of CODATA 2018


def all_pairs(positions: Any, mask: Any = None) -> Pairs:
    """Every ordered pair of these atoms."""
    ends = jnp.asarray(list(permutations(range(len(positions)), 2)))
    return Pairs.between(positions, ends[:, 0], ends[:, 1], jnp.ones(len(ends), bool) if mask is None else mask)


FRAMES = Frames(jnp.array([0, 0, 0, 1, 1, 2, 2]), jnp.arange(7) < 6, jnp.array([True, True, True]))
TOTALS = np.array([1.0, -2.0, 0.0])


@pytest.mark.parametrize("sites", [(), (4,), (2, 3)])
@pytest.mark.parametrize("weighted", [True, False])
def test_charges_are_corrected_by_their_weights(sites: tuple[int, ...], weighted: bool) -> None:
    """The formula by a loop over frames, for one charge of each atom and for several; padding has none."""
    rng = np.random.default_rng(0)
    q, w = rng.normal(size=(7, *sites)), rng.uniform(0.1, 2.0, size=(7, *sites)) if weighted else np.ones((7, *sites))
    dirty = np.where((np.arange(7) < 6).reshape(7, *(1,) * len(sites)), q, np.nan)
    found = np.asarray(conserve(jnp.asarray(dirty), TOTALS, FRAMES, jnp.asarray(w) if weighted else None))
    for frame, atoms in enumerate(([0, 1, 2], [3, 4], [5])):
        missing = float(TOTALS[frame]) - q[atoms].sum()
        np.testing.assert_allclose(found[atoms], q[atoms] + w[atoms] / w[atoms].sum() * missing, atol=1e-13)
    assert (found[6] == 0).all()


@pytest.mark.parametrize("total", [-2.0, 0.0, 3.0])
def test_the_sum_is_exact_in_single_precision(total: float) -> None:
    """To a few roundings of one charge, for sixty atoms of seven charges that were far from it, for ions too."""
    rng = np.random.default_rng(0)
    raw = jnp.asarray(rng.normal(loc=0.3, scale=1.0, size=(60, 7)), jnp.float32)
    frame = Frames(jnp.zeros(60, int), jnp.ones(60, bool), jnp.ones(1, bool))
    found = np.asarray(conserve(raw, jnp.array([total], jnp.float32), frame))
    assert found.dtype == np.float32
    assert found.astype(np.float64).sum() == pytest.approx(total, abs=2e-7)


def test_correcting_charges_has_the_gradient_of_finite_differences() -> None:
    """By charges, totals and weights, and no NaN from an empty frame."""
    rng = np.random.default_rng(0)
    empty = Frames(FRAMES.segments, FRAMES.segments != 2, FRAMES.frame_mask)
    q, w = jnp.asarray(rng.normal(size=(7, 2))), jnp.asarray(rng.uniform(0.5, 2.0, size=(7, 2)))
    check_grads(jax.jit(lambda q, t, w: conserve(q, t, empty, w)), (q, jnp.asarray(TOTALS), w), order=2)


def test_charges_do_not_see_the_order_of_atoms() -> None:
    """Nor other frames."""
    q, order = np.random.default_rng(0).normal(size=7), np.array([2, 0, 1, 4, 3, 5, 6])
    found = conserve(jnp.asarray(q), TOTALS, FRAMES)
    np.testing.assert_allclose(conserve(jnp.asarray(q[order]), TOTALS, FRAMES), found[order], atol=1e-14)


def test_charges_and_dipoles_are_exported_for_any_number_of_atoms() -> None:
    """A model of one frame may be written to a file while the number of its atoms is still open."""
    (atoms,) = export.symbolic_shape("atoms")

    def potential(charges: jax.Array, places: jax.Array) -> jax.Array:
        real = jnp.ones_like(charges, bool)
        frame = Frames(jnp.zeros_like(charges, jnp.int32), real, jnp.ones(1, bool))
        return dipole(conserve(charges, jnp.ones(1), frame), places, frame)

    shapes = [jax.ShapeDtypeStruct((atoms, *rest), jnp.float64) for rest in ((), (3,))]
    exported = export.export(jax.jit(potential))(*shapes)
    for count in (1, 5):
        charges, places = jnp.arange(count, dtype=float), jnp.ones((count, 3))
        np.testing.assert_allclose(exported.call(charges, places), potential(charges, places), atol=1e-12)


def test_the_constants_are_those_of_codata() -> None:
    """Not those of a rounded unit."""
    assert abs(COULOMB - CODATA) < 1e-8


def damped(r: np.ndarray, end: float) -> np.ndarray:
    """PhysNet's equations 13 and 14."""
    x = np.minimum(r / end, 1.0)
    p = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
    return p / np.sqrt(r**2 + 1) + (1 - p) / r


def test_the_damped_inverse_is_its_formula() -> None:
    """And the plain inverse beyond the damping."""
    r = np.linspace(0.1, 12.0, 40)
    np.testing.assert_allclose(damped_inverse(jnp.asarray(r)), damped(r, 5.0), rtol=1e-12)
    np.testing.assert_array_equal(damped_inverse(jnp.asarray(r[r > 5])), 1 / r[r > 5])
    assert float(damped_inverse(jnp.asarray(0.0))) == 1.0
    assert float(jax.grad(damped_inverse)(0.0)) == 0.0
    check_grads(jax.jit(damped_inverse), (jnp.asarray(r),), order=2)


@pytest.mark.parametrize(("cutoff", "at"), [(None, 5.0), (9.0, 9.0), (9.0, 5.0)])
def test_value_and_force_are_continuous_where_damping_or_range_end(cutoff: float | None, at: float) -> None:
    """Just before and just behind."""
    for function in (damped_inverse, jax.grad(damped_inverse)):
        before, behind = (function(jnp.asarray(at + side), 5.0, cutoff) for side in (-1e-7, 1e-7))
        assert float(before) == pytest.approx(float(behind), abs=1e-6)
    if cutoff == at:
        assert float(before) == pytest.approx(0.0, abs=1e-6)


def test_a_range_adds_a_line() -> None:
    """r/c^2 - 2/c, which takes value and slope of 1/r to zero at c."""
    r = np.linspace(0.5, 8.9, 20)
    np.testing.assert_allclose(
        damped_inverse(jnp.asarray(r), 4.0, 9.0), damped(r, 4.0) + r / 81 - 2 / 9, rtol=1e-12, atol=1e-14
    )


def test_damping_beyond_the_range_is_told() -> None:
    """It could not be continuous."""
    with pytest.raises(ConfigError, match="damping ends at 5 angstrom, beyond the cutoff of 4 angstrom"):
        damped_inverse(jnp.ones(1), 5.0, 4.0)


def test_the_coulomb_energy_is_that_of_a_loop(frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """Each pair once, in eV, by frames; padding adds nothing; ions of one sign repel."""
    of = frames([4, 3])
    batch = padded(of, cutoff=50.0, spare=(1, 2, 4))
    charges = np.random.default_rng(0).normal(size=9)
    found = Frames.of(batch).sum(coulomb_energy(jnp.asarray(charges), Pairs.of(batch)))
    for frame, q in enumerate((charges[:4], charges[4:7])):
        r = np.linalg.norm(of[frame]["R"][:, None] - of[frame]["R"][None, :], axis=-1)
        expected = sum(CODATA * q[i] * q[j] * damped(r[i, j], 5.0) for i in range(len(q)) for j in range(i))
        assert float(found[frame]) == pytest.approx(expected, abs=1e-8)
    assert float(found[2]) == 0.0
    apart = all_pairs(jnp.asarray([[0.0, 0.0, 0.0], [0.0, 0.0, 20.0]]))
    assert float(coulomb_energy(jnp.ones(2), apart).sum()) == pytest.approx(CODATA / 20, abs=1e-8)


# Of the pair style zbl of LAMMPS, release of 22 July 2025, in metal units and within its inner cutoff of 9 angstrom:
# numbers, distance r, E(r) - E(4 angstrom) in eV, force in eV/angstrom.
LAMMPS = [
    (1, 1, 0.5, 5.908881489, 26.13538514),
    (6, 1, 0.7, 11.09340778, 43.37681604),
    (6, 8, 1.0, 18.91358887, 65.35799077),
    (8, 8, 0.8, 48.99247016, 194.6138543),
    (14, 14, 1.5, 9.574088069, 28.98037335),
    (29, 79, 1.2, 110.6530609, 429.6901845),
    (92, 1, 2.0, 0.9341966611, 2.456068867),
]


def pair_energy(numbers: Any, distance: Any, cutoff: float | None = None) -> Any:
    """Of two atoms, in eV."""
    places = jnp.zeros((2, 3)).at[1, 2].set(distance)
    return zbl_energy(numbers, all_pairs(places), cutoff).sum()


@pytest.mark.parametrize(("first", "second", "distance", "energy", "force"), LAMMPS)
def test_zbl_is_that_of_another_program(first: int, second: int, distance: float, energy: float, force: float) -> None:
    """Energies and forces of LAMMPS; it repels."""
    numbers = jnp.array([first, second])
    found = pair_energy(numbers, distance) - pair_energy(numbers, 4.0)
    assert float(found) == pytest.approx(energy, rel=1e-6)
    assert float(-jax.grad(lambda r: pair_energy(numbers, r))(distance)) == pytest.approx(force, rel=1e-6)


def test_zbl_is_its_closed_form() -> None:
    """With a distance, not an inverse one, and a length that falls with the charges."""
    r, (a, b) = 0.9, (7, 17)
    length = 0.8854 * 0.529177210903 / (a**0.23 + b**0.23)
    powers = zip([0.18175, 0.50986, 0.28022, 0.02817], [3.1998, 0.94229, 0.4029, 0.20162], strict=True)
    expected = CODATA * a * b / r * sum(c * np.exp(-d * r / length) for c, d in powers)
    assert float(pair_energy(jnp.array([a, b]), r)) == pytest.approx(expected, rel=5e-4)  # 0.8854 bohr is 0.46853


def test_bare_nuclei_repel_at_short_range() -> None:
    """The amplitudes sum to one, so r E goes to k Z Z."""
    assert sum(AMPLITUDES) == pytest.approx(1.0, abs=1e-12)
    assert float(screening(jnp.asarray(0.0))) == pytest.approx(1.0, abs=1e-12)
    assert float(pair_energy(jnp.array([6, 8]), 1e-6)) * 1e-6 == pytest.approx(48 * CODATA, rel=1e-4)


def test_a_cutoff_takes_repulsion_smoothly_to_zero() -> None:
    """Value, slope and curvature."""
    energy = lambda r: pair_energy(jnp.array([6, 8]), r, 1.5)  # noqa: E731  # differentiated twice
    for function in (energy, jax.grad(energy), jax.grad(jax.grad(energy))):
        assert float(function(1.5 - 1e-6)) == pytest.approx(0.0, abs=1e-2)
        assert float(function(1.6)) == 0.0
    assert float(energy(1e-3)) == pytest.approx(float(pair_energy(jnp.array([6, 8]), 1e-3)), rel=1e-6)


@pytest.mark.parametrize("wide", [True, False])
def test_energies_of_pairs_ignore_padding(wide: bool, frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """In values and gradients, where padding puts atoms of no charge at the place of a real one."""
    with jax.enable_x64(wide):
        found = []
        for spare in ((0, 0, 0), (1, 4, 9)):
            batch = padded(frames([3, 1]), spare=spare)

            def total(at: Any, batch: Any = batch) -> Any:
                pairs, numbers = Pairs.of(batch, at), jnp.asarray(batch["Z"])
                return (zbl_energy(numbers, pairs) + coulomb_energy(numbers / 10, pairs)).sum()

            found.append(np.asarray(jax.grad(total)(jnp.asarray(batch["R"], float))))
    np.testing.assert_allclose(found[1][:4], found[0], rtol=1e-13 if wide else 1e-5)
    assert (found[1][4:] == 0).all()
    assert np.abs(found[0][:3]).max() > 0.1


def test_energies_of_pairs_have_the_forces_of_finite_differences(frames: Callable[..., Any]) -> None:
    """And second derivatives."""
    frame = frames([4])[0]
    numbers, charges = jnp.asarray(frame["Z"]), jnp.asarray(np.random.default_rng(0).normal(size=4))
    at = jnp.asarray(frame["R"])
    check_grads(jax.jit(lambda r: zbl_energy(numbers, all_pairs(r), 2.5)), (at,), order=2, modes=["rev"])
    check_grads(jax.jit(lambda q, r: coulomb_energy(q, all_pairs(r), 2.0, 4.0)), (charges, at), order=2, modes=["rev"])


@pytest.mark.parametrize("sites", [(), (3,)])
@pytest.mark.parametrize("moved", [True, False])
def test_moments_are_those_of_a_loop(sites: tuple[int, ...], moved: bool) -> None:
    """From an origin of each frame, with padding at a place that is not the origin."""
    rng = np.random.default_rng(0)
    q, places = rng.normal(size=(7, *sites)), rng.normal(size=(7, *sites, 3)) * 2
    origin = rng.normal(size=(3, 3)) if moved else np.zeros((3, 3))
    given = (jnp.asarray(q), jnp.asarray(places), FRAMES, jnp.asarray(origin) if moved else None)
    for frame, atoms in enumerate(([0, 1, 2], [3, 4], [5])):
        pairs = [(c, r - origin[frame]) for c, r in zip(q[atoms].ravel(), places[atoms].reshape(-1, 3), strict=True)]
        second = sum(c * np.outer(r, r) for c, r in pairs)
        np.testing.assert_allclose(dipole(*given)[frame], sum(c * r for c, r in pairs), atol=1e-13)
        np.testing.assert_allclose(second_moment(*given)[frame], second, atol=1e-13)
        np.testing.assert_allclose(
            quadrupole(*given)[frame], 1.5 * second - np.trace(second) / 2 * np.eye(3), atol=1e-13
        )


def test_moments_turn_and_mirror_with_the_molecule() -> None:
    """The dipole of a neutral frame does not see where the molecule is; of an ion it does not from the centroid."""
    rng = np.random.default_rng(0)
    places, turn = rng.normal(size=(7, 3)), ortho_group.rvs(3, random_state=1)
    q = conserve(jnp.asarray(rng.normal(size=7)), TOTALS, FRAMES)
    moved = jnp.asarray(places @ turn.T + 20.0)
    at, there = (centroid(jnp.asarray(r), FRAMES) for r in (places, moved))
    np.testing.assert_allclose(
        dipole(q, moved, FRAMES, there), dipole(q, jnp.asarray(places), FRAMES, at) @ turn.T, atol=1e-12
    )
    expected = turn @ np.asarray(quadrupole(q, jnp.asarray(places), FRAMES, at)) @ turn.T
    np.testing.assert_allclose(quadrupole(q, moved, FRAMES, there), expected, atol=1e-12)
    neutral = conserve(q, jnp.zeros(3), FRAMES)
    here = dipole(neutral, jnp.asarray(places), FRAMES)
    np.testing.assert_allclose(dipole(neutral, jnp.asarray(places + 20.0), FRAMES), here, atol=1e-12)
