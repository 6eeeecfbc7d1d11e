"""Refinement: scales and the target's parameters estimated, occupancies solved for, and so on until nothing moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import gemmi
import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import ConfigError, RunFailed
from atomloom_occupancy.active_set import Local, minimise
from atomloom_occupancy.basis import Basis, build_basis
from atomloom_occupancy.likelihood import (
    Amplitudes,
    Errors,
    LeastSquares,
    MaximumLikelihood,
    Target,
    estimate_errors,
    rescaled,
    variance_by_shell,
)
from atomloom_occupancy.mask import mask_factors
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.reflections import Reflections
from atomloom_occupancy.scaling import Lattice, Scale, fit_scale, lattice_of
from atomloom_occupancy.standard_form import StandardForm
from atomloom_occupancy.states import Network
from atomloom_occupancy.transform import Complex

TARGETS = ("ml", "ls")
"""Read's maximum likelihood, and least squares on amplitudes."""

SETTLED = 2e-6
"""A refinement is finished when no occupancy moves by more than this from one outer cycle to the next."""

CYCLES = 100

SEARCHING = 10
"""Cycles in which k_mask is looked for; where a shell has two that are as good, it would change for ever."""

FREE_LEAST = 50
"""Free reflections that the parameters of a shell are estimated from, at least."""


@dataclass(frozen=True)
class How:
    """Options of a refinement.

    Args:
        target: of `TARGETS`.
        restrain: the weight of (q - q_file)^2 in the target.
        occupancy_aware_mask: see `mask_factors`.
    """

    target: str = "ml"
    restrain: float = 0.0
    occupancy_aware_mask: bool = False

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.target not in TARGETS:
            raise ConfigError(f"refine with the target {self.target!r}", "there is no such target", "Use ml or ls")
        if not (np.isfinite(self.restrain) and self.restrain >= 0):
            found = f"{self.restrain} is no weight"
            raise ConfigError("restrain occupancies to those of the file", found, "Give 0 or more")


@dataclass(frozen=True)
class Crystal:
    """What stays the same during a refinement.

    Args:
        data: the reflections.
        basis: of the states at them.
        masked: (reflections,) F_mask.
        lattice: for scaling.
    """

    data: Reflections
    basis: Basis
    masked: Complex
    lattice: Lattice

    @property
    def observed(self) -> Amplitudes:
        """The data as targets see them."""
        return Amplitudes(self.data.amplitude, self.data.epsilon, self.data.centric)

    @cached_property
    def working(self) -> Complex:
        """(states, reflections of the work set) F of each state at occupancy one."""
        return np.compress(self.data.work, self.basis.states, axis=1)


@dataclass(frozen=True)
class Fit:
    """A model against the data.

    Args:
        occupancy: (states,)
        model: (reflections,) F_model.
        scale: that it was brought onto the data with.
        target: over the work set, with the parameters that belong to this model.
        errors: (reflections,) these parameters, of the target ml.
        negative_log_likelihood: of the work set, without restraints.
    """

    occupancy: Array
    model: Complex
    scale: Scale
    target: Target
    errors: Errors | None
    negative_log_likelihood: float

    def r_factor(self, data: Reflections, chosen: Array) -> float:
        """The sum of |F_o - |F_model|| over that of F_o, among the chosen reflections; NaN without any."""
        seen = data.amplitude[chosen]
        left = np.abs(seen - np.abs(self.model[chosen]))
        return float(left.sum() / seen.sum()) if len(seen) else float("nan")


@dataclass(frozen=True)
class Refined:
    """What a refinement comes to.

    Args:
        network: the states.
        crystal: data and basis.
        before: the fit of the occupancies of the file.
        after: the fit of the refined ones.
        point: (states + slacks,) where it ended.
        form: the constraints.
        objective: the target there.
        local: its gradient and Hessian.
        cycles: of the outer loop.
    """

    network: Network
    crystal: Crystal
    before: Fit
    after: Fit
    point: Array
    form: StandardForm
    objective: Objective
    local: Local
    cycles: int


def prepare(structure: gemmi.Structure, data: Reflections, network: Network, how: How) -> Crystal:
    """Structure factors of all states, the solvent mask, and what scaling wants to know."""
    basis = build_basis(structure, network, data.hkl)
    masked = mask_factors(structure, data.hkl, occupancy_aware=how.occupancy_aware_mask)
    return Crystal(data, basis, masked, lattice_of(data.cell, data.group, data.hkl, data.work))


def refine(crystal: Crystal, network: Network, how: How, start: Array | None = None) -> Refined:
    """Occupancies at the optimum of the target under the constraints of the network.

    Args:
        crystal: see `prepare`.
        network: the states; there has to be one.
        how: options.
        start: (states,) where to begin; else at the occupancies of the file.
    """
    form = network.form
    before = here = fit(crystal, network.start, how)
    point = form.nearest(network.start if start is None else start)
    restraint = Restraint.of(network, how.restrain)
    for cycle in range(1, CYCLES + 1):
        here = fit(crystal, point[: form.states], how, here.scale.mask if cycle > SEARCHING else None)
        objective = objective_of(crystal, here, restraint)
        found, local = minimise(objective, form.matrix, point)
        moved = np.abs(found - point)[: form.states]
        point = form.exact(found)
        if moved.max(initial=0.0) < SETTLED:
            after = fit(crystal, point[: form.states], how, here.scale.mask)
            return Refined(network, crystal, before, after, point, form, objective, local, cycle)
    found_text = f"an occupancy still moved by {float(moved.max()):.2g} in cycle {CYCLES}"
    raise RunFailed("refine these occupancies", found_text, "Restrain them with --restrain, or use fewer states")


def fit(crystal: Crystal, occupancy: Array, how: How, solvent: Array | None = None) -> Fit:
    """Scale a model with these occupancies, with this k_mask if it is held, and estimate the target's parameters."""
    data, lattice, observed = crystal.data, crystal.lattice, crystal.observed
    calculated = crystal.basis.calculated(occupancy)
    scale = fit_scale(data.amplitude, calculated, crystal.masked, lattice, data.work, solvent)
    model = scale.model(calculated, crystal.masked)
    target, errors = target_of(observed, np.abs(model), lattice.shell, data, how)
    value = target.value(np.abs(model)[data.work])
    return Fit(occupancy.copy(), model, scale, target, errors, value)


def target_of(
    observed: Amplitudes, amplitude: Array, shell: Indices, data: Reflections, how: How
) -> tuple[Target, Errors | None]:
    """The target over the work set, and errors estimated from the free reflections alone.

    The target takes beta from those, and alpha, which is part of the scale, from the work set.
    """
    joined = free_shells(shell, data.free)
    if how.target == "ls":
        variance = variance_by_shell(observed, amplitude, joined, data.free)
        return LeastSquares(observed.take(data.work), variance[data.work]), None
    errors = estimate_errors(observed, amplitude, joined, data.free)
    mine = rescaled(observed, amplitude, errors, shell, data.work)
    return MaximumLikelihood(observed.take(data.work), Errors(mine.alpha[data.work], mine.beta[data.work])), errors


def objective_of(crystal: Crystal, here: Fit, restraint: Restraint) -> Objective:
    """The target as a function of occupancies, scales and parameters held."""
    work = crystal.data.work
    total = here.scale.total[work]
    base = total * (crystal.basis.fixed + here.scale.mask * crystal.masked)[work]
    return Objective(here.target, base, total * crystal.working, restraint)


def free_shells(shell: Indices, free: Array) -> Indices:
    """The shells joined so that each has `FREE_LEAST` free reflections, from the lowest resolution on."""
    counts = np.bincount(shell[free], minlength=int(shell.max()) + 1)
    number, held = np.zeros(len(counts), dtype=np.int64), 0
    for each in range(1, len(counts)):
        held += int(counts[each - 1])
        full = held >= FREE_LEAST and counts[each:].sum() >= FREE_LEAST
        number[each] = number[each - 1] + full
        held = 0 if full else held
    return np.asarray(number[shell])
