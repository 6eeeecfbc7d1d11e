"""The dispersion correction, against what the library simple-dftd3 gives; ``data/d3_expected.py`` asked it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import ConfigError, DataError, Dataset
from atomloom.batching.pairs import all_pairs, within
from atomloom.experiment import AsFlags, build
from atomloom_jax.blocks import Frames, Pairs, displacements, forces, virial
from atomloom_physnet import Config, PhysNet
from atomloom_physnet.d3.damping import FUNCTIONALS, Damping, Dispersion
from atomloom_physnet.d3.energy import dispersion_energy

Make = Callable[..., Any]

EXPECTED = json.loads((Path(__file__).parent / "d3_expected.json").read_text(encoding="utf-8"))
D3 = {"dispersion": "d3", "d3_functional": "pbe"}


def computed(case: dict[str, Any]) -> Any:
    """Energy, gradient and virial of a structure with all of its pairs, or with those of a crystal within the reach."""
    numbers, positions = np.array(case["numbers"]), np.array(case["positions"])
    pairs = all_pairs(np.array([len(numbers)]))
    if case["cell"]:
        arrays = {"Z": numbers[None], "R": positions[None], "cell": [case["cell"]], "pbc": [[True] * 3]}
        pairs = within(Dataset.from_arrays(arrays).take([0]), EXPECTED["reach"])
    shift = np.zeros((len(pairs.source), 3)) if pairs.shift is None else pairs.shift
    damping = jnp.array(astuple(FUNCTIONALS[case["functional"]]))
    return _computed(numbers, positions, pairs.destination, pairs.source, shift, damping, case["three_body"])


@partial(jax.jit, static_argnums=6)
def _computed(numbers: Any, positions: Any, one: Any, other: Any, shift: Any, damping: Any, three_body: bool) -> Any:
    ends, atoms = (one, other, jnp.ones(one.shape, bool)), len(numbers)
    how = Dispersion(Damping(*damping), three_body)

    def energy(vectors: jax.Array) -> jax.Array:
        return dispersion_energy(numbers, Pairs.along(vectors, *ends), how).sum()

    vectors = displacements(positions, *ends, shift)
    found, slopes = jax.value_and_grad(energy)(vectors)
    pairs = Pairs.along(vectors, *ends)
    frame = Frames(jnp.zeros(atoms, int), jnp.ones(atoms, bool), jnp.ones(1, bool))
    return found, -forces(slopes, pairs, atoms), virial(slopes, pairs, frame)[0]


@pytest.mark.parametrize("case", EXPECTED["cases"].values(), ids=EXPECTED["cases"])
def test_the_library_gives_the_same(case: dict[str, Any]) -> None:
    """Energy, gradient and virial: molecules, heavy elements, a crystal, three bodies, every functional."""
    energy, gradient, strained = computed(case)
    assert float(energy) == pytest.approx(case["energy"], rel=1e-7)
    np.testing.assert_allclose(gradient, case["gradient"], atol=1e-8)
    np.testing.assert_allclose(strained, case["virial"], rtol=1e-7, atol=1e-8)


def test_every_functional_is_compared() -> None:
    """None of them has parameters that nothing was checked against."""
    assert {case["functional"] for case in EXPECTED["cases"].values()} == set(FUNCTIONALS)


def test_a_potential_adds_it_to_what_it_learns(state: Make, frames: Make, padded: Make, predicted: Make) -> None:
    """Energies are lower by it, not those of single atoms, and forces stay the gradient of the energy."""
    some, step = frames([3, 1, 2]), 1e-4
    made, plain = state(**D3, d3_three_body=True), state()
    with_it, without = (predicted(each, padded(some))["E"] for each in (made, plain))
    assert (with_it < without - 1e-4)[[0, 2]].all()
    assert with_it[1] == without[1]
    aside = [{**some[0], "R": some[0]["R"] + sign * step * np.array([[0], [1], [0]]) * [0, 1, 0]} for sign in (1, -1)]
    up, down = predicted(made, padded(aside))["E"]
    assert predicted(made, padded(some))["F"][1, 1] == pytest.approx((down - up) / (2 * step), abs=1e-6)


def test_padding_and_atoms_without_neighbours_leave_gradients_finite() -> None:
    """Slots without atoms or pairs give zero, and no NaN on the way back, with all terms."""
    numbers, positions = jnp.array([8, 1, 6, 0, 0]), jnp.zeros((5, 3)).at[1, 0].set(1.0)
    ends = jnp.array([0, 1, 0, 3]), jnp.array([1, 0, 0, 4]), jnp.array([True, True, False, False])
    how = Dispersion(FUNCTIONALS["pbe"], three_body=True)

    def energies(positions: jax.Array) -> jax.Array:
        return dispersion_energy(numbers, Pairs.between(positions, *ends), how)

    found, gradient = jax.jit(lambda at: (energies(at), jax.jacobian(energies)(at)))(positions)
    assert found[0] < 0
    assert found[2:].tolist() == [0.0, 0.0, 0.0]
    assert bool(jnp.isfinite(gradient).all())


def test_it_ends_smoothly_at_its_cutoff() -> None:
    """Where there is one, energy and force fade to nothing; far within it they are those without."""
    ends = jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True])

    @partial(jax.jit, static_argnums=1)
    def energy(distance: jax.Array, cutoff: float | None) -> jax.Array:
        positions = jnp.zeros((2, 3)).at[1, 2].set(distance)
        how = Dispersion(FUNCTIONALS["pbe"], cutoff=cutoff)
        return dispersion_energy(jnp.array([54, 54]), Pairs.between(positions, *ends), how).sum()

    slope = jax.jit(jax.grad(energy), static_argnums=1)
    assert energy(4.0, 6.0) == pytest.approx(float(energy(4.0, None)), rel=1e-9)
    for distance in (6.0 * 0.8, 6.0):
        assert energy(distance - 1e-6, 6.0) == pytest.approx(float(energy(distance + 1e-6, 6.0)), abs=1e-7)
        assert slope(distance - 1e-6, 6.0) == pytest.approx(float(slope(distance + 1e-6, 6.0)), abs=1e-6)
    assert energy(6.1, 6.0) == 0.0


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, "--d3-functional is missing: nothing says what D3 shall be damped for"),
        ({"d3_functional": "pbe", "d3_damping": (1.0, 1.0, 0.4, 5.0)}, "--d3-damping and `d3_functional` exclude"),
        ({"d3_functional": "pbe", "d3_three_body": True, "d3_cutoff": 9.0}, "--d3-three-body and `d3_cutoff` exclude"),
        ({"d3_functional": "lda"}, "--d3-functional is"),
    ],
)
def test_options_that_say_too_little_or_too_much_are_refused(options: dict[str, Any], found: str) -> None:
    """Nothing is damped for a functional that nobody named."""
    with pytest.raises(ConfigError, match=found):
        build(Config, {"dispersion": "d3", **options}, AsFlags())


def test_elements_without_data_are_refused() -> None:
    """In words before anything is computed, and by NaN where nobody asked."""
    heavy = {"Z": np.array([104, 104]), "R": np.eye(3)[:2], "total_charge": 0.0, "total_spin": 1}
    with pytest.raises(DataError, match="there are atoms of Rf, and data up to Lr"):
        PhysNet().complete(Dataset.from_frames([heavy]), Config(**D3))
    case = next(iter(EXPECTED["cases"].values()))
    assert np.isnan(computed({**case, "numbers": [104] * len(case["numbers"])})[0])
