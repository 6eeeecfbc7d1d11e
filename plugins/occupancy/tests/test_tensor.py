"""Occupancies in torch."""

from __future__ import annotations

import copy

import pandas as pd
import pytest
import torch

from atomloom.errors import ConfigError
from atomloom_occupancy import MixedTensor, OccupancyTensor

GROUPS = [[0, 1, 2], [3, 4, 5], [6, 7]]


def ten(mask: torch.Tensor | None = None, dtype: torch.dtype = torch.float64) -> OccupancyTensor:
    """Ten atoms in groups of three, three and two, and two alone."""
    values = torch.tensor([0.8] * 3 + [0.6] * 3 + [0.4] * 2 + [1.0, 0.0], dtype=dtype)
    return OccupancyTensor(values, GROUPS, mask)


def test_expansion() -> None:
    """Groups are numbered as their atoms first appear, atoms alone are groups too."""
    assert ten().expansion_mask.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(("atoms", "groups"), [(100, 20), (1000, 125)])
def test_collapsed_storage(atoms: int, groups: int) -> None:
    """One parameter is stored for each group."""
    size = atoms // groups
    shared = [list(range(start, start + size)) for start in range(0, atoms, size)]
    assert OccupancyTensor(torch.full((atoms,), 0.5), shared).refinable_params.shape == (groups,)


def test_residue_groups() -> None:
    """A table of atoms gives a group for each residue and altloc."""
    frame = pd.DataFrame(
        {
            "resname": ["SER"] * 6,
            "resseq": [1, 1, 2, 2, 2, 2],
            "chainid": ["A"] * 6,
            "altloc": ["", "", "A", "A", "B", "B"],
        }
    )
    made = OccupancyTensor.from_residue_groups(torch.tensor([1, 1, 0.6, 0.6, 0.4, 0.4]), frame)
    assert made.expansion_mask.tolist() == [0, 0, 1, 1, 2, 2]
    rules = [{"residues": [(1, "A"), (2, "A")], "share": True}]
    frame["altloc"] = ["A", "A", "A", "A", "B", "B"]
    shared = OccupancyTensor.from_residue_groups(torch.full((6,), 0.5), frame, sharing_rules=rules)
    assert shared.expansion_mask.tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_start(dtype: torch.dtype) -> None:
    """Refinable values start at theirs, those of 0 and 1 within 1e-3 of the bound."""
    values = ten(dtype=dtype)().detach()
    torch.testing.assert_close(values[:8], torch.tensor([0.8] * 3 + [0.6] * 3 + [0.4] * 2, dtype=dtype))
    assert 0.999 < float(values[8]) < 1
    assert 0 < float(values[9]) < 0.001


def test_fixed_values_are_exact() -> None:
    """Fixed values are those given, to the last bit, 0 and 1 included."""
    values = torch.rand(1000, generator=torch.Generator().manual_seed(1))
    values[:2] = torch.tensor([0.0, 1.0])
    fixed = OccupancyTensor(values, None, torch.zeros(1000, dtype=torch.bool))
    assert torch.equal(fixed(), values)
    assert fixed.refinable_params.numel() == 0


def test_gradients_leave_the_bounds() -> None:
    """Adam brings occupancies that start at 0 and 1 to what the loss wants."""
    occupancy = OccupancyTensor(torch.tensor([0.0, 1.0], dtype=torch.float64))
    optimiser = torch.optim.Adam([occupancy.refinable_params], lr=0.1)
    for _ in range(600):
        optimiser.zero_grad()
        loss = ((occupancy() - torch.tensor([0.7, 0.2])) ** 2).sum()
        loss.backward()
        optimiser.step()
    torch.testing.assert_close(occupancy().detach(), torch.tensor([0.7, 0.2], dtype=torch.float64), atol=1e-3, rtol=0)


def test_gradient_is_that_of_finite_differences() -> None:
    """Backward agrees with finite differences through sharing and fixed atoms."""
    occupancy = ten(torch.tensor([True] * 6 + [False] * 2 + [True, False]))
    weights = torch.arange(10.0, dtype=torch.float64)

    def loss(parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(occupancy, {"refinable_params": parameters}, ()) @ weights

    assert torch.autograd.gradcheck(loss, (occupancy.refinable_params,))


@pytest.mark.parametrize("refined", [True, False])
def test_groups_are_set(refined: bool) -> None:
    """A group's occupancy is what it was set to, for all of its atoms and no others."""
    occupancy = ten(torch.full((5,), refined))
    occupancy.set_group_occupancy(1, 0.25)
    assert occupancy.get_group_occupancy(1) == pytest.approx(0.25)
    assert occupancy().tolist()[:8] == pytest.approx([0.8] * 3 + [0.25] * 3 + [0.4] * 2)


def test_mask_changes_keep_values() -> None:
    """Choosing anew what is refined changes no occupancy."""
    occupancy = ten()
    occupancy.set_group_occupancy(0, 0.123)
    before = occupancy().detach()
    occupancy.set_refinable_mask(torch.tensor([True] * 3 + [False] * 7))
    assert occupancy.get_refinable_count() == 1
    torch.testing.assert_close(occupancy().detach(), before)


def test_state_dict() -> None:
    """A state dict brings back values and what is refined, also into a module that refines something else."""
    saved = ten(torch.tensor([True, False, True, False, False]))
    saved.set_group_occupancy(2, 0.33)
    other = ten()
    other.load_state_dict(copy.deepcopy(saved.state_dict()))
    assert torch.equal(other(), saved())
    assert other.get_refinable_count() == 2


@pytest.mark.parametrize(
    ("values", "groups", "found"),
    [
        ([0.5, 1.5], None, "atom 1 has 1.5"),
        ([0.5, float("nan")], None, "atom 1 has nan"),
        ([0.5, 0.5], [[0, 1], [1]], "atom 1 is in group 0 as well"),
        ([0.5, 0.5], [[0, 2]], "it names atom 2 of 2"),
        ([0.5, 0.5], [[0, -1]], "it names atom -1 of 2"),
        ([0.5, 0.5], [[]], "it names no atom"),
    ],
)
def test_refusals(values: list[float], groups: list[list[int]] | None, found: str) -> None:
    """What makes no sense is refused with the reason."""
    with pytest.raises(ConfigError, match=found):
        OccupancyTensor(torch.tensor(values), groups)


def test_mixed_masks_are_refused() -> None:
    """One parameter cannot be refined for one atom and held for another."""
    with pytest.raises(ConfigError, match="group 0 has atoms of both kinds"):
        ten(torch.tensor([True, False] + [True] * 8))


def test_mixed_tensor() -> None:
    """Only chosen elements are parameters, and all values are what they were."""
    values = torch.arange(6.0).reshape(2, 3)
    mixed = MixedTensor(values, values > 3)
    assert torch.equal(mixed(), values)
    mixed().sum().backward()
    assert mixed.refinable_params.grad is not None
    assert mixed.refinable_params.grad.tolist() == [1.0, 1.0]
