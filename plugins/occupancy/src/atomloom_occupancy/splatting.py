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
        inputs = [each.detach().requires_grad_() for each in ctx.saved_tensors]
        gradients = [torch.zeros_like(each) for each in inputs]
        for chosen, offsets in _chunks(ctx.mesh, ctx.gaussians, inputs[2].detach()):
            with torch.enable_grad():
                index, values = _density(ctx.mesh, offsets, ctx.gaussians, *_three(inputs), chosen)
            found = torch.autograd.grad(values, inputs, upstream[0][index])
            for total, each in zip(gradients, found, strict=True):
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
    shape = torch.tensor(mesh.shape, device=offsets.device)
    points = (nearest.long()[:, None] + offsets) % shape
    index = (points[..., 0] * shape[1] + points[..., 1]) * shape[2] + points[..., 2]
    apart = (offsets.to(place.dtype) - (place - nearest)[:, None]) @ mesh.step.T
    kernel = _isotropic if u.dim() == 1 else _anisotropic
    return index, weights[chosen, None] * kernel(apart, a, b, u[chosen])


def _isotropic(apart: Tensor, a: Tensor, b: Tensor, u: Tensor) -> Tensor:
    width = b + u[:, None]
    height = a * (4 * math.pi / width) ** 1.5
    squared = (apart * apart).sum(-1)
    decay = -4 * math.pi**2 / width
    total = torch.zeros_like(squared)
    for i in range(5):
        total = total + height[:, i, None] * torch.exp(decay[:, i, None] * squared)
    return total


def _anisotropic(apart: Tensor, a: Tensor, b: Tensor, u: Tensor) -> Tensor:
    eye = torch.eye(3, dtype=u.dtype, device=u.device)
    spread = u[:, None] + (b / EIGHT_PI2)[..., None, None] * eye
    height = a / torch.sqrt((2 * math.pi) ** 3 * torch.linalg.det(spread))
    inverse = torch.linalg.inv(spread)
    total = apart.new_zeros(apart.shape[:2])
    for i in range(5):
        form = ((apart @ inverse[:, i]) * apart).sum(-1)
        total = total + height[:, i, None] * torch.exp(-form / 2)
    return total
