"""Refinement of occupancies together with the displacement of every state.

The parameters are occupancies, slacks, and for each change of a displacement its distance from the lowest that is
possible, which has a slack of its own for the highest. Second derivatives of F are left out of the Hessian, as is
usual; gradients are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import RunFailed
from atomloom_occupancy.acceleration import Acceleration
from atomloom_occupancy.active_set import Cut, Local, minimise
from atomloom_occupancy.basis import Basis
from atomloom_occupancy.displacement import Displacement, displacement_of
from atomloom_occupancy.objective import Objective, Restraint, curvature
from atomloom_occupancy.refining import CYCLES, SEARCHING, SETTLED, Crystal, Fit, How, Refined, fit, objective_of
from atomloom_occupancy.states import Network

_TINY = 1e-9


@dataclass(frozen=True)
class Parameters:
    """Occupancies, slacks, displacements from their lowest on and their slacks, one after the other.

    Args:
        change: of displacements.
        slacks: how many follow the occupancies.
    """

    change: Displacement
    slacks: int

    @property
    def first(self) -> int:
        """Where displacements begin."""
        return len(self.change.lower) + self.slacks

    def point(self, occupancy: Array, moved: Array) -> Array:
        """All of them, from occupancies with their slacks and (states, size) changes."""
        return np.concatenate([occupancy, (moved - self.change.lower).ravel(), (self.change.upper - moved).ravel()])

    def split(self, point: Array) -> tuple[Array, Array]:
        """(states,) occupancies, and (states, size) changes."""
        lower = self.change.lower
        moved = point[self.first : self.first + lower.size].reshape(lower.shape)
        return point[: len(lower)], moved + lower

    def broken(self, point: Array) -> list[Cut]:
        """What a displacement that is not possible has against it."""
        found, many = [], self.change.lower.size
        for row, least in self.change.broken(self.split(point)[1]):
            whole = np.zeros(len(point))
            whole[self.first : self.first + many] = row
            found.append(Cut(whole, least - float(row @ self.change.lower.ravel())))
        return found

    def allowed(self, point: Array) -> bool:
        """Whether nothing is beyond a bound."""
        return bool(point.min() >= 0) and not self.broken(point)

    def constraints(self, matrix: Array) -> Array:
        """Those of occupancies, and a change and its slack that add up to what lies between the two bounds."""
        (rows, columns), many = matrix.shape, self.change.lower.size
        whole = np.zeros((rows + many, columns + 2 * many))
        whole[:rows, :columns] = matrix
        whole[rows:, columns:] = np.hstack([np.eye(many), np.eye(many)])
        return whole

    @property
    def settled(self) -> Array:
        """What each may still move by at the end."""
        return np.concatenate([np.full(self.first, SETTLED), np.full(2 * self.change.lower.size, self.change.settled)])


@dataclass(frozen=True)
class JointObjective:
    """The target over occupancies, slacks, displacements and their slacks.

    Args:
        at: the scales, the parameters of the target, the restraint; its slopes do not count.
        parameters: what it is a function of.
        total: (reflections,) the scale.
        work: (reflections,) a mask of those that count.
    """

    at: Objective
    parameters: Parameters
    total: Array
    work: Array

    def __call__(self, point: Array, hessian: bool = True) -> Local:
        """The value; gradient and Hessian where they are asked for, zeros otherwise."""
        change = self.parameters.change
        q, moved = self.parameters.split(point)
        size = len(point)
        if change.broken(moved):
            return Local(float("inf"), np.zeros(size), np.zeros((size, size)))
        slopes = self.total * change.factors(moved)[:, self.work]
        here = Objective(self.at.target, self.at.base, slopes, self.at.restraint)
        local = here(point, hessian)
        if not hessian:
            return local
        more = self.total * change.slopes(moved, q)[:, self.work]
        both, model = np.concatenate([slopes, more]), here.model(q)
        amplitude = np.maximum(np.abs(model), _TINY)
        pull = self.at.target.slope(amplitude) * model / amplitude
        first = self.parameters.first
        places = np.concatenate([np.arange(len(q)), first + np.arange(len(more))])
        local.gradient[first : first + len(more)] = more.real @ pull.real + more.imag @ pull.imag
        second = np.zeros((size, size))
        second[np.ix_(places, places)] = curvature(self.at.target, model, both.real, both.imag)
        second[range(len(q)), range(len(q))] += 2 * self.at.restraint.weight
        return Local(local.value, local.gradient, second)


def refine_with_b(
    structure: gemmi.Structure, crystal: Crystal, network: Network, how: How, kind: str
) -> tuple[Refined, Array]:
    """Occupancies and displacements at the optimum, and (states, 1 or 6) the changes of the displacements.

    Args:
        structure: the model.
        crystal: see `prepare`.
        network: the states; there has to be one.
        how: options.
        kind: ``"iso"`` or ``"aniso"``.
    """
    form = network.form
    change = displacement_of(structure, network, crystal.basis.states, crystal.data.hkl, kind)
    before = at = fit(crystal, network.start, how)
    q, moved = form.nearest(network.start), np.zeros(change.lower.shape)
    parameters = Parameters(change, len(q) - form.states)
    constraints, first = parameters.constraints(form.matrix), parameters.first
    ahead = Acceleration(parameters.settled, parameters.allowed)
    point = parameters.point(q, moved)
    for cycle in range(1, CYCLES + 1):
        q, moved = parameters.split(point)
        here = _with(crystal, change, moved)
        at = fit(here, q, how, at.scale.mask if cycle > SEARCHING else None)
        found = minimise(joint_objective(here, at, network, how, parameters), constraints, point, parameters.broken)[0]
        found = np.concatenate([form.exact(found[:first]), found[first:]])
        steps = np.abs(found - point)
        if np.all(steps < parameters.settled):
            moved, end = parameters.split(found)[1], (before, found[:first], cycle)
            return _settled(_with(crystal, change, moved), network, how, end, at.scale.mask), moved
        if cycle == SEARCHING:
            ahead.forget()
        point = ahead(point, found)
    said = f"an occupancy still moved by {steps[:first].max():.2g} and a displacement by {steps[first:].max():.2g}"
    todo = "Restrain them with --restrain, or use fewer states"
    raise RunFailed("refine occupancies with displacements", f"{said} in cycle {CYCLES}", todo)


def _settled(crystal: Crystal, network: Network, how: How, end: tuple[Fit, Array, int], solvent: Array) -> Refined:
    """The end of a refinement as one of occupancies, at the displacements that were found."""
    (before, point, cycles), form = end, network.form
    after = fit(crystal, point[: form.states], how, solvent)
    objective = objective_of(crystal, after, Restraint.of(network, how.restrain))
    return Refined(network, crystal, before, after, point, form, objective, objective(point, True), cycles)


def _with(crystal: Crystal, change: Displacement, moved: Array) -> Crystal:
    return replace(crystal, basis=Basis(crystal.basis.fixed, change.factors(moved)))


def joint_objective(crystal: Crystal, at: Fit, network: Network, how: How, parameters: Parameters) -> JointObjective:
    """The target with all held that a fit has estimated."""
    work = crystal.data.work
    held = objective_of(crystal, at, Restraint.of(network, how.restrain))
    return JointObjective(held, parameters, at.scale.total[work], work)
