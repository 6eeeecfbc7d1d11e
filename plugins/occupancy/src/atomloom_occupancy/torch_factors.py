"""Structure factors of a whole model in torch, with gradients by positions, displacements and occupancies.

The density of the atoms of the asymmetric unit is put on a grid and transformed by FFT; every symmetry operation R, t
then adds F(h R) exp(2 pi i h t). Memory grows with the atoms, the reflections and the grid, each linearly.
"""

from __future__ import annotations

import math

import gemmi
import numpy as np
import torch
from torch import Tensor, nn

from atomloom.data.columns import Array
from atomloom.errors import ConfigError
from atomloom_occupancy.splatting import EIGHT_PI2, Gaussians, Mesh, splat
from atomloom_occupancy.structure import atoms_of, occupancies_of
from atomloom_occupancy.structure_factors import RATE, images


class StructureFactors(nn.Module):
    """F_calc at fixed reflections.

    Args:
        structure: the model; its atoms in the order of the file.
        hkl: (reflections, 3)
        dtype: ``torch.float64`` or ``torch.float32``.
        device: where it is computed.

    Attributes:
        positions: (atoms, 3) in angstrom, of the file.
        b_iso: (atoms,) in angstrom^2.
        occupancy: (atoms,)
        anisotropic: (atoms,) which atoms have an anisotropic U.
        u: (anisotropic atoms, 6) as 11, 22, 33, 12, 13, 23, in angstrom^2.
    """

    positions: Tensor
    b_iso: Tensor
    occupancy: Tensor
    anisotropic: Tensor
    u: Tensor
    _a: Tensor
    _b: Tensor
    _fractional: Tensor
    _steps: Tensor
    _turn: Tensor
    _index: Tensor
    _mirrored: Tensor

    def __init__(
        self,
        structure: gemmi.Structure,
        hkl: Array,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        hkl = np.ascontiguousarray(hkl, dtype=np.int32)
        atoms = [cra.atom for cra in atoms_of(structure)]
        u = np.array([_six(atom.aniso) for atom in atoms if atom.aniso.nonzero()]).reshape(-1, 6)
        self._keep("positions", np.array([atom.pos.tolist() for atom in atoms]), dtype, device)
        self._keep("b_iso", np.array([atom.b_iso for atom in atoms]), dtype, device)
        self._keep("occupancy", occupancies_of(structure), dtype, device)
        self._keep("anisotropic", np.array([atom.aniso.nonzero() for atom in atoms]), torch.bool, device)
        self._keep("u", u, dtype, device)
        spacing = structure.cell.calculate_d_array(hkl)
        step = float(spacing.min()) / (2 * RATE)
        self._shape = _shape(structure.cell, step)
        blur = max(EIGHT_PI2 / 1.1 * step**2 - self._least_b(), 0.0)
        coefficients = np.array([atom.element.it92.get_coefs() for atom in atoms])
        self._keep("_a", coefficients[:, [0, 1, 2, 3, 8]], dtype, device)
        self._keep("_b", np.pad(coefficients[:, 4:8], ((0, 0), (0, 1))) + blur, dtype, device)
        self._keep("_fractional", np.array(structure.cell.frac.mat.tolist()), dtype, device)
        self._keep("_steps", np.array(structure.cell.orth.mat.tolist()) / np.array(self._shape), dtype, device)
        moved, turn = images(structure.find_spacegroup(), hkl)
        scale = structure.cell.volume / math.prod(self._shape) * np.exp(blur / (4 * spacing**2))
        complex_type = torch.complex128 if dtype == torch.float64 else torch.complex64
        self._keep("_turn", turn * scale, complex_type, device)
        self._keep("_index", self._indices(moved), torch.int64, device)
        self._keep("_mirrored", moved[..., 2] >= 0, torch.bool, device)

    def forward(
        self,
        occupancy: Tensor | None = None,
        positions: Tensor | None = None,
        b_iso: Tensor | None = None,
        u: Tensor | None = None,
    ) -> Tensor:
        """(reflections,) F_calc, complex; what is not given is that of the file."""
        occupancy = self._given(occupancy, self.occupancy, "occupancies")
        positions = self._given(positions, self.positions, "positions")
        b_iso, u = self._given(b_iso, self.b_iso, "B"), self._given(u, self.u, "U")
        places = positions @ self._fractional.T * self._fractional.new_tensor(self._shape)
        mesh, plain = Mesh(self._shape, self._steps), ~self.anisotropic
        density = splat(mesh, self._gaussians(plain), places[plain], occupancy[plain], b_iso[plain])
        if len(u):
            lean = self.anisotropic
            density = density + splat(mesh, self._gaussians(lean), places[lean], occupancy[lean], _matrices(u))
        half = torch.fft.rfftn(density.reshape(self._shape)).reshape(-1)
        total = torch.zeros_like(self._turn[0])
        for index, mirrored, turn in zip(self._index, self._mirrored, self._turn, strict=True):
            value = half[index]
            total = total + torch.where(mirrored, value.conj(), value) * turn
        return total

    def _keep(self, name: str, values: Array, dtype: torch.dtype, device: torch.device | str | None) -> None:
        self.register_buffer(name, torch.as_tensor(values, device=device).to(dtype), persistent=False)

    def _given(self, values: Tensor | None, usual: Tensor, what: str) -> Tensor:
        if values is None:
            return usual
        if values.shape != usual.shape:
            found = f"they have the shape {tuple(values.shape)}"
            raise ConfigError(f"use these {what}", found, f"Give {tuple(usual.shape)} in the order of the file")
        return values.to(usual)

    def _gaussians(self, chosen: Tensor) -> Gaussians:
        return Gaussians(self._a[chosen], self._b[chosen])

    def _least_b(self) -> float:
        """The lowest B of any atom along any direction."""
        least = [self.b_iso[~self.anisotropic], torch.linalg.eigvalsh(_matrices(self.u))[:, 0] * EIGHT_PI2]
        return float(torch.cat(least).min())

    def _indices(self, moved: Array) -> Array:
        """Where F(h), or the conjugate of F(-h), lies in the half of the transform that is kept."""
        kept = np.where(moved[..., 2:] >= 0, moved, -moved)
        x, y, z = np.moveaxis(kept, -1, 0)
        nu, nv, nw = self._shape
        return np.asarray(((x % nu) * nv + y % nv) * (nw // 2 + 1) + z)


def _shape(cell: gemmi.UnitCell, step: float) -> tuple[int, int, int]:
    """Points along each axis, products of 2, 3 and 5, such that planes of them are at most a step apart."""
    least = [math.ceil(1 / (each * step)) for each in cell.reciprocal().parameters[:3]]
    a, b, c = (next(n for n in range(each, 2 * each + 8) if _is_smooth(n) and n % 2 == 0) for each in least)
    return a, b, c


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def _six(u: gemmi.SMat33f) -> tuple[float, ...]:
    return u.u11, u.u22, u.u33, u.u12, u.u13, u.u23


def _matrices(u: Tensor) -> Tensor:
    """(n, 3, 3) of (n, 6)."""
    return u[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
