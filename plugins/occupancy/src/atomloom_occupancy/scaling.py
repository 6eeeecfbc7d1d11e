"""Overall scale, anisotropy and bulk solvent, after Afonine et al. 2013 (Acta Cryst. D69, 625).

F_model(h) = k_iso(shell) exp(-h B h / 4) [F_calc(h) + k_mask(shell) F_mask(h)], with shells of equal width in the
logarithm of the resolution. In each shell k_mask is looked for on a line and k_iso follows from it; B, kept as the
point group wants it, follows from all reflections; and so on in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom_occupancy.transform import Complex

SHELLS = 20
LEAST = 80
"""As many shells as this many reflections of the work set in each allow, up to `SHELLS`."""

_ROUNDS = 12
_MOVED = 1e-6
_CANDIDATES = np.linspace(0.0, 1.0, 21)
_HALVINGS = 10
_STEPS = 6
_NOTHING = 1e-300
_ZERO = 1e-9


@dataclass(frozen=True)
class Scale:
    """What brings F_calc onto the observed amplitudes.

    Args:
        total: (reflections,) k_iso times the anisotropic factor.
        mask: (reflections,) k_mask.
    """

    total: Array
    mask: Array

    def model(self, calculated: Complex, masked: Complex) -> Complex:
        """F_model on the scale of the observed amplitudes."""
        return self.total * (calculated + self.mask * masked)


@dataclass(frozen=True)
class Lattice:
    """What scaling needs to know of the reflections.

    Args:
        shell: (reflections,) number of the resolution shell.
        terms: (reflections, free components) of h B h, after symmetry, each between -1 and 1.
    """

    shell: Indices
    terms: Array


def lattice_of(cell: gemmi.UnitCell, group: gemmi.SpaceGroup, hkl: Array, work: Array) -> Lattice:
    """Shells, and the components of anisotropy that the point group leaves free."""
    d = cell.calculate_d_array(np.ascontiguousarray(hkl, dtype=np.int32))
    terms = _products(hkl) @ _invariant(group).T
    return Lattice(shells(d, work), terms / np.abs(terms).max(axis=0))


def shells(d: Array, work: Array) -> Indices:
    """(reflections,) resolution shells, 0 the lowest, each with `LEAST` reflections of the work set where there are."""
    size = np.log(d)
    top, bottom = float(size.max()), float(size.min())
    raw = np.clip(((top - size) / max(top - bottom, 1e-9) * SHELLS).astype(np.int64), 0, SHELLS - 1)
    counts = np.bincount(raw[work], minlength=SHELLS)
    number, held = np.zeros(SHELLS, dtype=np.int64), 0
    for each in range(1, SHELLS):
        held += int(counts[each - 1])
        full = held >= LEAST and counts[each:].sum() >= LEAST
        number[each] = number[each - 1] + full
        held = 0 if full else held
    return np.asarray(number[raw])


def fit_scale(
    observed: Array, calculated: Complex, masked: Complex, lattice: Lattice, work: Array, held: Array | None = None
) -> Scale:
    """The scale that brings |F_model| nearest to the observed amplitudes of the work set, by least squares.

    Args:
        observed: (reflections,) amplitudes.
        calculated: (reflections,) F_calc.
        masked: (reflections,) F_mask.
        lattice: see `lattice_of`.
        work: (reflections,) a mask of those that count.
        held: (reflections,) k_mask where it is not to be looked for.
    """
    shelled = _Shelled(observed[work], calculated[work], masked[work], lattice.shell[work])
    anisotropy, components = np.ones_like(observed), np.zeros(lattice.terms.shape[1])
    first, before = np.unique(lattice.shell, return_index=True)[1], np.inf
    mask = shelled.searched(anisotropy[work]) if held is None else held[first]
    for _ in range(_ROUNDS):
        mask = shelled.improved(mask, anisotropy[work]) if held is None else mask
        iso = shelled.left(mask, anisotropy[work])[1]
        amplitude = (iso[lattice.shell] * np.abs(calculated + mask[lattice.shell] * masked)) * anisotropy
        components = components + _step(observed, amplitude, lattice.terms, work)
        anisotropy = np.exp(-lattice.terms @ components)
        left = float(np.sum((observed - amplitude)[work] ** 2))
        if before - left < _MOVED * left:
            break
        before = left
    mask = shelled.improved(mask, anisotropy[work]) if held is None else mask
    iso = shelled.left(mask, anisotropy[work])[1]
    return Scale(iso[lattice.shell] * anisotropy, mask[lattice.shell])


class _Shelled:
    """The work set by shells: what k_mask and k_iso of each leave of the differences."""

    def __init__(self, observed: Array, calculated: Complex, masked: Complex, shell: Indices) -> None:
        self._observed, self._shell, self._count = observed, shell, int(shell.max()) + 1
        self._square, self._far = np.abs(calculated) ** 2, np.abs(masked) ** 2
        self._cross = 2 * np.real(calculated * np.conj(masked))

    def left(self, mask: Array, anisotropy: Array) -> tuple[Array, Array]:
        """(shells,) the sum of squares that is left, up to a constant, and the best k_iso."""
        model = self._model(mask, anisotropy)
        top, low = self._total(self._observed * model), np.maximum(self._total(model * model), _NOTHING)
        return -(top**2) / low, top / low

    def _model(self, mask: Array, anisotropy: Array) -> Array:
        k = mask[self._shell]
        return np.asarray(anisotropy * np.sqrt(np.maximum(self._square + k * (self._cross + k * self._far), _NOTHING)))

    def _total(self, values: Array) -> Array:
        return np.bincount(self._shell, values, self._count)

    def searched(self, anisotropy: Array) -> Array:
        """(shells,) the best of a few k_mask, and of steps to either side of it that are halved again and again."""
        residues = [self.left(np.full(self._count, each), anisotropy)[0] for each in _CANDIDATES]
        best, value, step = _CANDIDATES[np.argmin(residues, axis=0)], np.min(residues, axis=0), float(_CANDIDATES[1])
        for _ in range(_HALVINGS):
            step /= 2
            for trial in (np.maximum(best - step, 0.0), best + step):
                found = self.left(trial, anisotropy)[0]
                best, value = np.where(found < value, trial, best), np.minimum(found, value)
        return np.asarray(best)

    def improved(self, mask: Array, anisotropy: Array) -> Array:
        """(shells,) k_mask after Gauss-Newton steps of k_mask and k_iso, shorter where a step brings nothing."""
        (value, iso), length = self.left(mask, anisotropy), np.ones(self._count)
        for _ in range(_STEPS):
            trial = np.maximum(mask + length * self._step(mask, iso, anisotropy), 0.0)
            found, scale = self.left(trial, anisotropy)
            better = found < value
            mask, iso, value = (np.where(better, *each) for each in ((trial, mask), (scale, iso), (found, value)))
            length = np.where(better, 1.0, length / 4)
        return np.asarray(mask)

    def _step(self, mask: Array, iso: Array, anisotropy: Array) -> Array:
        """(shells,) the step of k_mask; k_iso is the best one, so that the difference is at right angles to F."""
        model, k = self._model(mask, anisotropy), mask[self._shell]
        turn = anisotropy**2 * (self._cross / 2 + k * self._far) / np.maximum(model, _NOTHING)
        across = turn - (self._total(turn * model) / np.maximum(self._total(model**2), _NOTHING))[self._shell] * model
        off = self._observed - iso[self._shell] * model
        return np.asarray(self._total(across * off) / np.maximum(iso * self._total(across**2), _NOTHING))


def _step(observed: Array, model: Array, terms: Array, work: Array) -> Array:
    """A Gauss-Newton step for the free components of anisotropy, together with one for the overall scale."""
    slope = -model[work, None] * np.column_stack([terms[work], np.ones(int(work.sum()))])
    found = np.linalg.lstsq(slope, (observed - model)[work], rcond=None)[0]
    return np.asarray(found[:-1])


def _products(h: Array) -> Array:
    """(n, 6) such that the product with B as 11, 22, 33, 12, 13, 23 is h B h."""
    x, y, z = np.asarray(h, dtype=np.float64).T
    return np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)


def _invariant(group: gemmi.SpaceGroup) -> Array:
    """(free components, 6) a basis of the quadratic forms of Miller indices that the point group leaves alone."""
    probes = np.random.default_rng(0).integers(-9, 10, (32, 3))
    rotations = [np.array(op.rot) / gemmi.Op.DEN for op in group.operations().sym_ops]
    mean = np.mean([_products(probes @ rotation) for rotation in rotations], axis=0)
    average = np.linalg.lstsq(_products(probes), mean, rcond=None)[0]
    left, sizes, _ = np.linalg.svd(average)
    return np.asarray(left[:, sizes > _ZERO * sizes[0]].T)
