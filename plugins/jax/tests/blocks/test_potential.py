"""The potential of point charges, against a loop; what it costs in memory is asked of the compiler."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.stats import ortho_group

from atomloom import Dataset
from atomloom.batching import Shape, pad
from atomloom_jax.blocks import BOHR, Budget, Frames, Grid, Pairs, potential, potential_at

Arrays = dict[str, Any]
ATOMS, POINTS = (3, 1, 5), (40, 7, 23)
PLENTY = Budget()


@partial(jax.jit, static_argnames="budget")
def compiled(grid: Grid, charges: Any, places: Any, frames: Frames, budget: Budget = PLENTY) -> jax.Array:
    """`potential`, of which not every step has to be compiled by itself."""
    return potential(grid, charges, places, frames, budget)


def batch_of(spare: tuple[int, int, int] = (0, 0, 0), per_frame: int = 0) -> Arrays:
    """Three molecules with points outside of them, ragged along both axes, and spare frames, atoms and points."""
    rng = np.random.default_rng(0)
    frames = [
        {
            "Z": np.ones(atoms, np.int64),
            "R": rng.uniform(-1, 1, size=(atoms, 3)),
            "esp": np.zeros(points),
            "vdw_surface": 3 * (lambda v: v / np.linalg.norm(v, axis=1)[:, None])(rng.normal(size=(points, 3))),
        }
        for atoms, points in zip(ATOMS, POINTS, strict=True)
    ]
    dataset = Dataset.from_frames(frames)
    slots = len(frames) + spare[0]
    atoms = per_frame * slots if per_frame else sum(ATOMS) + spare[1]
    shape = Shape(slots, atoms, 0, sum(POINTS) + spare[2], per_frame)
    return dict(pad(dataset.take(np.arange(3)), shape))


def charged(batch: Arrays, sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Charges ``[atoms, sites]`` near the atoms, the same for real atoms whatever is to spare, and wild ones beside."""
    real = np.flatnonzero(batch["atom_mask"])
    rng = np.random.default_rng(1)
    charges = np.full((len(batch["atom_mask"]), sites), 1e3)
    places = np.zeros((*charges.shape, 3))
    charges[real] = rng.normal(size=(len(real), sites))
    places[real] = batch["R"][real][:, None] + rng.uniform(-0.2, 0.2, size=(len(real), sites, 3))
    return charges, places


def by_hand(batch: Arrays, charges: np.ndarray, places: np.ndarray) -> np.ndarray:
    """In hartree/e, point by point."""
    found = np.zeros(len(batch["grid_mask"]))
    for g in np.flatnonzero(batch["grid_mask"]):
        own = batch["atom_mask"] & (batch["batch_segments"] == batch["grid_segments"][g])
        away = np.linalg.norm(places[own].reshape(-1, 3) - batch["vdw_surface"][g], axis=1) / 0.529177210903
        found[g] = (charges[own].ravel() / away).sum()
    return found


@pytest.mark.parametrize("budget", [Budget(), Budget(longest=5), Budget(memory=1), Budget(memory=4000, longest=6)])
@pytest.mark.parametrize(("spare", "per_frame"), [((0, 0, 0), 0), ((2, 4, 9), 0), ((1, 0, 3), 6)])
def test_the_potential_is_that_of_a_loop(budget: Budget, spare: tuple[int, int, int], per_frame: int) -> None:
    """Of the charges of the point's own frame, however it is cut; zero for padding, which may be where a charge is."""
    batch = batch_of(spare, per_frame)
    charges, places = charged(batch, 2)
    arguments = Grid.of(batch), jnp.asarray(charges), jnp.asarray(places), Frames.of(batch), budget
    np.testing.assert_allclose(compiled(*arguments), by_hand(batch, charges, places), atol=1e-12)


def test_one_charge_of_each_atom_needs_no_axis() -> None:
    """Charges ``[atoms]`` at places ``[atoms, 3]``, also of one frame without padding."""
    batch = batch_of()
    charges, places = charged(batch, 1)
    flat = compiled(Grid.of(batch), jnp.asarray(charges[:, 0]), jnp.asarray(places[:, 0]), Frames.of(batch))
    np.testing.assert_allclose(flat, by_hand(batch, charges, places), atol=1e-12)
    first = potential_at(batch["vdw_surface"][: POINTS[0]], charges[:3, 0], places[:3, 0])
    np.testing.assert_allclose(first, flat[: POINTS[0]], atol=1e-12)


def test_the_unit_is_hartree_per_electron() -> None:
    """One e at one bohr."""
    assert abs(BOHR - 0.529177210903) < 1e-15
    assert float(potential_at(jnp.array([[BOHR, 0.0, 0.0]]), jnp.ones(1), jnp.zeros((1, 3)))[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("memory", [1, 1 << 24])
def test_the_gradient_is_that_of_finite_differences(memory: int) -> None:
    """By charges, by places and by points, twice, with padding at the place of a charge."""
    batch = batch_of((1, 2, 3))
    grid, frames = Grid.of(batch), Frames.of(batch)
    charges, places = charged(batch, 2)

    def at(points: Any, charges: Any, places: Any) -> Any:
        return potential(grid._replace(points=points), charges, places, frames, Budget(memory, longest=5))[::7]

    arguments = jnp.asarray(batch["vdw_surface"]), jnp.asarray(charges), jnp.asarray(places)
    check_grads(jax.jit(at), arguments, order=2, modes=["rev"], rtol=1e-5)
    slopes = jax.jit(jax.grad(lambda *given: (at(*given) ** 2).sum(), argnums=(0, 1, 2)))(*arguments)
    assert (slopes[1][9:] == 0).all()
    assert (slopes[2][9:] == 0).all()


@pytest.mark.parametrize("wide", [True, False])
def test_padding_and_cutting_change_nothing(wide: bool) -> None:
    """Spare frames, atoms and points, and budgets, to rounding; and nothing but digits if all moves by 20 angstrom."""
    with jax.enable_x64(wide):
        found = []
        for spare, budget in (((0, 0, 0), Budget()), ((2, 5, 300), Budget(memory=1 << 14, longest=5))):
            batch = batch_of(spare)
            charges, places = (jnp.asarray(values, float) for values in charged(batch, 3))
            grid = Grid.of(batch)._replace(points=jnp.asarray(batch["vdw_surface"], float))
            found.append(compiled(grid, charges, places, Frames.of(batch), budget)[: sum(POINTS)])
            moved = compiled(grid._replace(points=grid.points + 20), charges, places + 20, Frames.of(batch), budget)
            np.testing.assert_allclose(moved[: sum(POINTS)], found[0], atol=1e-12 if wide else 1e-5)
    np.testing.assert_allclose(found[1], found[0], atol=1e-13 if wide else 1e-6)


def test_the_potential_does_not_see_how_a_molecule_is_turned() -> None:
    """Nor mirrored, nor in which order its atoms are."""
    batch = batch_of()
    charges, places = charged(batch, 2)
    points, turn = batch["vdw_surface"][:40], ortho_group.rvs(3, random_state=2)
    here = potential_at(points, charges[:3], places[:3])
    there = potential_at(points @ turn.T, charges[[2, 0, 1]], places[[2, 0, 1]] @ turn.T)
    np.testing.assert_allclose(there, here, atol=1e-13)


@pytest.mark.parametrize("memory", [1 << 20, 1 << 24])
@pytest.mark.parametrize("what", ["value", "gradient"])
def test_memory_stays_within_the_budget(memory: int, what: str) -> None:
    """Ten thousand points, sixty atoms, seven charges: the budget, and some numbers for each point and charge."""
    points, atoms, sites = 10_000, 60, 7
    with jax.enable_x64(False):
        shapes = [
            jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((points, 3), (atoms, sites), (atoms, sites, 3))
        ]

        def loss(points: Any, charges: Any, places: Any) -> Any:
            return (potential_at(points, charges, places, Budget(memory)) ** 2).sum()

        function = loss if what == "value" else jax.grad(loss, argnums=(1, 2))
        taken = jax.jit(function).lower(*shapes).compile().memory_analysis().temp_size_in_bytes
    beside = 4 * 8 * (points + atoms * sites)
    assert taken < memory + beside
    assert taken < 4 * points * atoms * sites


def test_many_frames_are_no_more_work_than_one_by_one() -> None:
    """A frame meets its own charges only: the work of a batch is that of its frames, by the compiler's count."""
    points, atoms, frames = 512, 8, 16
    with jax.enable_x64(False):

        def work(frames: int) -> float:
            def summed(points_: Any, charges: Any, places: Any) -> Any:
                grid = Grid(points_, jnp.repeat(jnp.arange(frames), points), jnp.ones(frames * points, bool))
                of = Frames(
                    jnp.repeat(jnp.arange(frames), atoms), jnp.ones(frames * atoms, bool), jnp.ones(frames, bool)
                )
                return potential(grid, charges, places, of, Budget(1 << 30, longest=atoms)).sum()

            sizes = (frames * points, 3), (frames * atoms,), (frames * atoms, 3)
            shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in sizes]
            return float(jax.jit(summed).lower(*shapes).compile().cost_analysis()["flops"])

        assert work(frames) < 2 * frames * work(1)


def test_a_frame_that_is_too_long_is_nan_and_not_wrong() -> None:
    """The budget said that no frame has more than three atoms, and the last one has five."""
    batch = batch_of()
    charges, places = (jnp.asarray(values) for values in charged(batch, 1))
    found = compiled(Grid.of(batch), charges, places, Frames.of(batch), Budget(longest=3))
    assert np.isfinite(found[:47]).all()
    assert np.isnan(found[47:]).all()


@pytest.mark.parametrize(("points", "atoms"), [(0, 2), (3, 0)])
def test_no_points_and_no_charges_are_no_trouble(points: int, atoms: int) -> None:
    """Zero, or nothing at all."""
    assert (potential_at(jnp.ones((points, 3)), jnp.ones(atoms), jnp.zeros((atoms, 3))) == 0).all()


def test_atoms_and_points_far_from_padding_meet_nothing_of_it() -> None:
    """Grids of other programs are filled up at 10000 angstrom, or at the origin where the first atom is."""
    grid = Grid(
        jnp.array([[0.0, 0.0, 2 * BOHR], [0.0, 0.0, 0.0], [1e4, 1e4, 1e4]]), jnp.zeros(3, int), jnp.arange(3) < 1
    )
    frame = Frames(jnp.zeros(2, int), jnp.array([True, False]), jnp.ones(1, bool))

    def loss(charges: Any, places: Any) -> Any:
        return (potential(grid, charges, places, frame) ** 2).sum()

    values = jnp.array([1.0, 5.0]), jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2 * BOHR]])
    assert float(loss(*values)) == pytest.approx(0.25)
    slopes = jax.jit(jax.grad(loss, argnums=(0, 1)))(*values)
    np.testing.assert_allclose(slopes[0], [0.5, 0.0], atol=1e-12)
    assert np.isfinite(slopes[1]).all()
    assert Pairs.between(values[1], jnp.zeros(1, int), jnp.ones(1, int), jnp.zeros(1, bool)).distances[0] == 1.0
