"""Densities of atoms added to a periodic grid in torch, with gradients, in the memory of the grid and a few atoms.

An atom is a sum of five Gaussians: those of its form factor, widened by its displacement and by a blur that keeps them
smooth on the grid. Atoms are taken in chunks; the backward pass makes each chunk anew instead of keeping it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

EIGHT_PI2 = 8 * math.pi**2
CUTOFF = 1e-5
"""Electrons per cubic angstrom below which a density is left out."""

_MOST = 12.0  # angstrom, the widest an atom can be
_BUDGET = 2_000_000  # grid points that are in hand at once


@dataclass(frozen=True)
class Gaussians:
    """Form factors: sum over i of a_i exp(-b_i s^2 / 4), s = 1 / d, each (atoms, 5) and b_i with the blur."""

    a: Tensor
    b: Tensor


@dataclass(frozen=True)
class Mesh:
    """A periodic grid.

    Args:
        shape: points along a, b, c.
        step: (3, 3) the vectors between neighbours as columns, in angstrom.
    """

    shape: tuple[int, int, int]
    step: Tensor

    @property
    def points(self) -> int:
        """How many there are."""
        return math.prod(self.shape)

    def offsets(self, radius: float) -> Tensor:
        """(points, 3) steps to all points that are within the radius of any place nearest to the origin.

        Steps beyond the cell lead to points of its images, as they should where an atom is wider than the cell.
        """
        reach = [math.ceil(radius * float(row.norm())) + 1 for row in torch.linalg.inv(self.step)]
        axes = [torch.arange(-each, each + 1, device=self.step.device) for each in reach]
        grid = torch.cartesian_prod(*axes)
        half = float(self.step.norm(dim=0).sum()) / 2
        return grid[(grid.to(self.step.dtype) @ self.step.T).norm(dim=1) <= radius + half]


def radii(gaussians: Gaussians, widest: Tensor) -> Tensor:
    """(atoms,) how far the density of each atom at occupancy one reaches.

    Args:
        gaussians: of the atoms.
        widest: (atoms,) the largest B along any direction.
    """
    width = gaussians.b + widest[:, None]
    height = gaussians.a.abs() * (4 * math.pi / width) ** 1.5
    low, high = torch.zeros_like(widest), torch.full_like(widest, _MOST)
    for _ in range(30):
        middle = (low + high) / 2
        inside = (height * torch.exp(-4 * math.pi**2 * middle[:, None] ** 2 / width)).sum(1) > CUTOFF
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return high


def splat(mesh: Mesh, gaussians: Gaussians, places: Tensor, weights: Tensor, u: Tensor) -> Tensor:
    """(points,) the density of atoms on a grid.

    Args:
        mesh: the grid.
        gaussians: of the atoms.
        places: (atoms, 3) positions in steps of the grid.
        weights: (atoms,) occupancies.
        u: (atoms,) B in angstrom^2, or (atoms, 3, 3) U in angstrom^2.
    """
    found: Tensor = _Splat.apply(mesh, gaussians, places, weights, u)  # type: ignore[no-untyped-call]  # as torch has it
    return found


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mesh: Mesh, gaussians: Gaussians, places: Tensor, weights: Tensor, u: Tensor) -> Tensor:
        ctx.mesh, ctx.gaussians = mesh, gaussians
        ctx.save_for_backward(places, weights, u)
        out = places.new_zeros(mesh.points)
        for chosen, offsets in _chunks(mesh, gaussians, u):
            index, values = _density(mesh, offsets, gaussians, places, weights, u, chosen)
            out.index_add_(0, index.reshape(-1), values.reshape(-1))
        return out

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[2:]
        inputs = [each.detach().requires_grad_(w) for each, w in zip(ctx.saved_tensors, wanted, strict=True)]
        gradients = [torch.zeros_like(each) if w else None for each, w in zip(inputs, wanted, strict=True)]
        for chosen, offsets in _chunks(ctx.mesh, ctx.gaussians, inputs[2].detach()):
            with torch.enable_grad():
                index, values = _density(ctx.mesh, offsets, ctx.gaussians, *_three(inputs), chosen)
            needed = [each for each in inputs if each.requires_grad]
            found = torch.autograd.grad(values, needed, upstream[0][index])
            for total, each in zip((each for each in gradients if each is not None), found, strict=True):
                total += each
        return None, None, *gradients


def _three(values: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    places, weights, u = values
    return places, weights, u


def _chunks(mesh: Mesh, gaussians: Gaussians, u: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Atoms of about one width, and the steps from the nearest point to all that they reach."""
    widest = u if u.dim() == 1 else torch.linalg.eigvalsh(u)[:, -1] * EIGHT_PI2
    reach = radii(gaussians, widest)
    order = torch.argsort(reach)
    first = 0
    while first < len(order):
        offsets = mesh.offsets(float(reach[order[min(first + 32, len(order)) - 1]]))
        many = max(1, min(32, _BUDGET // len(offsets)))
        yield order[first : first + many], offsets
        first += many


def _density(
    mesh: Mesh, offsets: Tensor, gaussians: Gaussians, places: Tensor, weights: Tensor, u: Tensor, chosen: Tensor
) -> tuple[Tensor, Tensor]:
    """(chosen, offsets) indices of grid points and the density there."""
    place, a, b = places[chosen], gaussians.a[chosen], gaussians.b[chosen]
    nearest = place.detach().round()
    beside = (place - nearest) @ mesh.step.T
    steps = offsets.to(place.dtype) @ mesh.step.T
    kernel = _isotropic if u.dim() == 1 else _anisotropic
    return _index(mesh, nearest.long(), offsets), weights[chosen, None] * kernel(steps, beside, a, b, u[chosen])


def _index(mesh: Mesh, nearest: Tensor, offsets: Tensor) -> Tensor:
    """(chosen, offsets) the places of points in the grid, which is periodic, axis by axis from short tables."""
    total = torch.zeros((len(nearest), len(offsets)), dtype=torch.int64, device=offsets.device)
    for axis, count in enumerate(mesh.shape):
        reach = int(offsets[:, axis].max())
        row = torch.arange(-reach, reach + 1, device=offsets.device)
        table = (nearest[:, axis, None] + row) % count * math.prod(mesh.shape[axis + 1 :])
        total += table[:, offsets[:, axis] + reach]
    return total


def _isotropic(steps: Tensor, beside: Tensor, a: Tensor, b: Tensor, u: Tensor) -> Tensor:
    """(atoms, points) the density at steps from points that are beside the atoms."""
    width = b + u[:, None]
    height = a * (4 * math.pi / width) ** 1.5
    squared = (steps * steps).sum(-1) - 2 * beside @ steps.T + (beside * beside).sum(-1, keepdim=True)
    decay = -4 * math.pi**2 / width
    total = torch.zeros_like(squared)
    for i in range(5):
        total = torch.addcmul(total, height[:, i, None], torch.exp(decay[:, i, None] * squared))
    return total


def _anisotropic(steps: Tensor, beside: Tensor, a: Tensor, b: Tensor, u: Tensor) -> Tensor:
    """The same with (atoms, 3, 3) U: the six products of steps are the same for all atoms."""
    eye = torch.eye(3, dtype=u.dtype, device=u.device)
    spread = u[:, None] + (b / EIGHT_PI2)[..., None, None] * eye
    height = a / torch.sqrt((2 * math.pi) ** 3 * torch.linalg.det(spread))
    inverse = torch.linalg.inv(spread)
    products = (steps[:, :, None] * steps[:, None, :]).reshape(-1, 9).T
    total = steps.new_zeros((len(beside), len(steps)))
    for i in range(5):
        turned = (inverse[:, i] @ beside[:, :, None])[..., 0]
        form = inverse[:, i].reshape(-1, 9) @ products - 2 * turned @ steps.T + (turned * beside).sum(-1, keepdim=True)
        total = torch.addcmul(total, height[:, i, None], torch.exp(-form / 2))
    return total
