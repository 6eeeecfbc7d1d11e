"""Constraints, targets and structure factors in torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gemmi
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom_occupancy import OccupancyTensor, StateTensor, StructureFactors, examples
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.likelihood import LeastSquares
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.refining import How, Refined, prepare, refine
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.standard_form import Ratio, Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import occupancies_of
from atomloom_occupancy.structure_factors import direct_sum
from atomloom_occupancy.torch_target import OccupancyTarget, target_at

INDEPENDENT = '[states]\nligand = ["//B/1"]\nfirst = ["//W/1"]\nsecond = ["//W/2"]\nthird = ["//W/3"]\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and groups of the made-up crystal."""
    path = tmp_path_factory.mktemp("torch")
    examples.mtz_file(path)
    (path / "coupled.toml").write_text(examples.GROUPS)
    (path / "independent.toml").write_text(INDEPENDENT)
    return path


def refined(folder: Path, groups: str, occupancy: Mapping[str, float]) -> tuple[gemmi.Structure, Refined]:
    """The exact refinement with these groups of a model with these occupancies."""
    model = examples.crystal(occupancy)
    network, data = read_groups(folder / groups, model), load_reflections(folder / "data.mtz")
    return model, refine(prepare(model, data, network, How(restrain=3.0)), network, How(restrain=3.0))


def network_of(seed: int, many: int) -> Network:
    """Two sets that share a state, one of them maybe incomplete, a state alone, caps, and maybe a ratio."""
    rng = np.random.default_rng(seed)
    states = [State(str(n), (2 * n, 2 * n + 1), float(rng.uniform(0, 1)), 1.0) for n in range(many + 2)]
    states[-1] = State("alone", states[-1].atoms, 0.3, 0.5)
    sets = (Together((0, 1)), Together((0, *range(2, many + 1)), complete=bool(rng.integers(2))))
    return Network(tuple(states), sets, ratios=(Ratio(many + 1, 0, 0.4),) if rng.random() < 0.5 else ())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.sampled_from([torch.float64, torch.float32]))
def test_constraints_hold_for_any_parameters(seed: int, many: int, dtype: torch.dtype) -> None:
    """Sums, caps and ratios hold to 1e-12 in double and 1e-6 in single precision, whatever the parameters."""
    network = network_of(seed, many)
    module = StateTensor(network, np.ones(2 * many + 6), dtype=dtype)
    with torch.no_grad():
        drawn = torch.randn(module.refinable_params.shape, generator=torch.manual_seed(seed))
        module.refinable_params.copy_(20 * drawn)
    q, close = module.states().detach().double().numpy(), 1e-12 if dtype == torch.float64 else 1e-6
    assert abs(q[:2].sum() - 1) < close
    total = q[list(network.sets[1].states)].sum()
    assert abs(total - 1) < close if network.sets[1].complete else total < 1 + close
    assert q.min() >= 0
    assert q[-1] <= 0.5 + close
    assert all(abs(q[each.of] - each.factor * q[each.to]) < close for each in network.ratios)
    assert module()[2 * many + 4 :].tolist() == [1.0, 1.0]


def test_start_and_gradient() -> None:
    """Occupancies that are allowed are where it starts, within 1e-3, and the gradient is that of finite differences."""
    network = network_of(4, 4)
    q = network.form.nearest(network.start)[:6]
    module = StateTensor(network, np.ones(12), q)
    np.testing.assert_allclose(module.states().detach(), q, atol=1e-3)
    weights = torch.arange(12.0, dtype=torch.float64)

    def loss(parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, {"refinable_params": parameters}, ()) @ weights

    assert torch.autograd.gradcheck(loss, (module.refinable_params,))


def test_state_dict() -> None:
    """A state dict brings back the occupancies."""
    first, second = (StateTensor(network_of(4, 4), np.ones(12), np.full(6, start)) for start in (0.2, 0.4))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(), second())


def descend(module: torch.nn.Module, target: OccupancyTarget) -> np.ndarray:
    """The occupancies of all atoms after many steps of Adam."""
    optimiser = torch.optim.Adam(module.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.99)
    for _ in range(500):
        optimiser.zero_grad()
        target(module()).backward()
        optimiser.step()
        schedule.step()
    return module().detach().numpy()


def test_adam_comes_to_the_exact_optimum_of_coupled_states(folder: Path) -> None:
    """With constraints in a module of states, Adam ends where the solver does, within 1e-3."""
    model, exact = refined(folder, "coupled.toml", WRONG)
    atoms = occupancies_of(model)
    module = StateTensor(exact.network, atoms)
    target = OccupancyTarget(exact.objective, exact.network, len(atoms))
    wanted = exact.network.spread(atoms, exact.after.occupancy)
    np.testing.assert_allclose(descend(module, target), wanted, atol=1e-3)
    assert float(target(torch.tensor(wanted))) == pytest.approx(exact.local.value, rel=1e-9)


def test_adam_comes_to_the_exact_optimum_of_independent_groups(folder: Path) -> None:
    """With logits in an `OccupancyTensor`, Adam ends where the solver does, within 1e-3."""
    model, exact = refined(folder, "independent.toml", {**examples.TRUTH, "bound": 0.5, "apo": 0.5, "water": 0.5})
    atoms, states = occupancies_of(model), exact.network.states
    chosen = torch.zeros(len(atoms), dtype=torch.bool)
    chosen[[atom for state in states for atom in state.atoms]] = True
    module = OccupancyTensor(torch.tensor(atoms), [state.atoms for state in states], chosen)
    target = OccupancyTarget(exact.objective, exact.network, len(atoms))
    wanted = exact.network.spread(atoms, exact.after.occupancy)
    np.testing.assert_allclose(descend(module, target), wanted, atol=1e-3)


def test_target_of_a_start(folder: Path) -> None:
    """A target without a refinement has the scales of its start: there its value is the likelihood of the fit."""
    model, exact = refined(folder, "coupled.toml", WRONG)
    target = target_at(exact.crystal, exact.network, How(), exact.network.start, len(occupancies_of(model)))
    value = target(torch.tensor(occupancies_of(model))).item()
    assert value == pytest.approx(exact.before.negative_log_likelihood, rel=1e-9)


@pytest.mark.parametrize("kind", ["ml", "ls"])
def test_target_is_that_of_the_solver(folder: Path, kind: str) -> None:
    """Value and gradient in torch are those of the exact objective, for both targets."""
    model, exact = refined(folder, "coupled.toml", WRONG)
    ours = exact.objective
    if kind == "ls":
        seen = exact.crystal.observed.take(exact.crystal.data.work)
        aim = LeastSquares(seen, np.full(len(seen.amplitude), 9.0))
        ours = Objective(aim, ours.base, ours.slopes, Restraint.of(exact.network, 2.0))
    point = np.random.default_rng(0).uniform(0.1, 0.9, len(exact.point))
    q = torch.tensor(point[: exact.form.states], requires_grad=True)
    value = OccupancyTarget(ours, exact.network, len(occupancies_of(model))).of_states(q)
    value.backward()
    here = ours(point, True)
    assert value.item() == pytest.approx(here.value, rel=1e-10)
    np.testing.assert_allclose(q.grad, here.gradient[: exact.form.states], rtol=1e-6, atol=1e-6)


CELLS = {
    "P 1": (9, 10, 11, 80, 95, 105),
    "C 1 2 1": (14, 10, 11, 90, 110, 90),
    "P 65 2 2": (14, 14, 20, 90, 90, 120),
    "R 3 :H": (15, 15, 12, 90, 90, 120),
    "P 43 3 2": (15, 15, 15, 90, 90, 90),
}


def small(name: str) -> gemmi.Structure:
    """A few atoms, one of them anisotropic, one a hydrogen, one on the origin."""
    rng = np.random.default_rng(3)
    structure = gemmi.Structure()
    structure.cell, structure.spacegroup_hm = gemmi.UnitCell(*CELLS[name]), name
    chain, residue = gemmi.Chain("A"), gemmi.Residue()
    residue.name, residue.seqid = "LIG", gemmi.SeqId(1, " ")
    for number, element in enumerate(["C", "N", "O", "H", "S"]):
        atom = gemmi.Atom()
        atom.name, atom.element, atom.occ = f"X{number}", gemmi.Element(element), 1.0 - 0.1 * number
        atom.pos = structure.cell.orthogonalize(gemmi.Fractional(*(rng.random(3) * (number != 0))))
        atom.b_iso = 10.0 + 2 * number
        if number == 1:
            atom.aniso = gemmi.SMat33f(0.2, 0.12, 0.15, 0.03, -0.02, 0.01)
        residue.add_atom(atom)
    chain.add_residue(residue)
    structure.add_model(gemmi.Model(1))
    structure[0].add_chain(chain)
    structure.setup_cell_images()
    return structure


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-4), (torch.float32, 1e-4)])
def test_structure_factors_are_those_of_direct_summation(name: str, dtype: torch.dtype, close: float) -> None:
    """F_calc is gemmi's direct sum to 1e-4, from triclinic to cubic groups, in both precisions."""
    structure = small(name)
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 1.5)
    found, exact = StructureFactors(structure, hkl, dtype)().numpy(), direct_sum(structure, hkl)
    assert np.linalg.norm(found - exact) < close * np.linalg.norm(exact)


@pytest.mark.parametrize("name", ["P 1", "P 65 2 2"])
def test_gradients_of_structure_factors(name: str) -> None:
    """Gradients by positions, B, U and occupancies are those of finite differences, in torch and of gemmi's sum."""
    structure = small(name)
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 1.8)
    module = StructureFactors(structure, hkl)
    aim = torch.tensor(np.random.default_rng(0).normal(size=(2, len(hkl))))

    def loss(f: torch.Tensor) -> torch.Tensor:
        return (f.real * aim[0] + f.imag * aim[1]).sum()

    inputs = [each.clone().requires_grad_() for each in (module.occupancy, module.positions, module.b_iso, module.u)]
    loss(module(*inputs)).backward()
    atom = structure[0][0][0][2]
    moves = {
        0: ((2,), lambda h: setattr(atom, "occ", atom.occ + h)),
        1: ((2, 1), lambda h: setattr(atom, "pos", atom.pos + gemmi.Position(0, h, 0))),
        2: ((2,), lambda h: setattr(atom, "b_iso", atom.b_iso + h)),
    }
    for place, values in enumerate(inputs):
        assert values.grad is not None
        step = 1e-3
        for index in [(2,), (4,)] if values.dim() == 1 else [(0, 1), (0, 2)] if place == 3 else [(2, 1), (1, 0)]:
            ends = []
            for sign in (1, -1):
                tried = [each.detach().clone() for each in inputs]
                tried[place][index] += sign * step
                ends.append(float(loss(module(*tried))))
            assert float(values.grad[index]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-3, abs=2e-3)
    for place, (index, move) in moves.items():
        sums = []
        for size in (1e-2, -2e-2):
            move(size)
            sums.append(float(loss(torch.tensor(direct_sum(structure, hkl)))))
        move(1e-2)
        gradient = inputs[place].grad
        assert gradient is not None
        assert float(gradient[index]) == pytest.approx((sums[0] - sums[1]) / 2e-2, rel=5e-3, abs=5e-3)
