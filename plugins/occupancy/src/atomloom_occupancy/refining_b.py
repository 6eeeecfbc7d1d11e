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
from atomloom_occupancy.active_set import Local, minimise
from atomloom_occupancy.basis import Basis
from atomloom_occupancy.displacement import Displacement, displacement_of
from atomloom_occupancy.objective import Objective, Restraint, curvature
from atomloom_occupancy.refining import CYCLES, SEARCHING, SETTLED, Crystal, Fit, How, Refined, fit, objective_of
from atomloom_occupancy.states import Network

_SETTLED_B = 1e-4
_TINY = 1e-9


@dataclass(frozen=True)
class JointObjective:
    """The target over occupancies, slacks, displacements and their slacks.

    Args:
        at: the scales, the parameters of the target, the restraint; its slopes do not count.
        change: of displacements.
        total: (reflections,) the scale.
        work: (reflections,) a mask of those that count.
        slacks: how many follow the occupancies.
    """

    at: Objective
    change: Displacement
    total: Array
    work: Array
    slacks: int

    def split(self, point: Array) -> tuple[Array, Array]:
        """(states,) occupancies, and (states, size) changes."""
        states = len(self.change.lower)
        first = states + self.slacks
        moved = point[first : first + self.change.lower.size].reshape(self.change.lower.shape)
        return point[:states], moved + self.change.lower

    def __call__(self, point: Array, hessian: bool = True) -> Local:
        """The value; gradient and Hessian where they are asked for, zeros otherwise."""
        q, moved = self.split(point)
        size = len(point)
        if not self.change.allowed(moved):
            return Local(float("inf"), np.zeros(size), np.zeros((size, size)))
        slopes = self.total * self.change.factors(moved)[:, self.work]
        here = Objective(self.at.target, self.at.base, slopes, self.at.restraint)
        local = here(point, hessian)
        if not hessian:
            return local
        more = self.total * self.change.slopes(moved, q)[:, self.work]
        both, model = np.concatenate([slopes, more]), here.model(q)
        amplitude = np.maximum(np.abs(model), _TINY)
        pull = self.at.target.slope(amplitude) * model / amplitude
        first = len(q) + self.slacks
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
    before, restraint = fit(crystal, network.start, how), Restraint.of(network, how.restrain)
    at = before
    q, moved = form.nearest(network.start), np.zeros(change.lower.shape)
    for cycle in range(1, CYCLES + 1):
        here = _with(crystal, change, moved)
        at = fit(here, q[: form.states], how, at.scale.mask if cycle > SEARCHING else None)
        joint = _joint(here, at, restraint, change, len(q) - form.states)
        found = minimise(joint, _matrix(form.matrix, moved.size), _point(q, moved, change))[0]
        new = joint.split(found)[1]
        steps = np.abs(found[: form.states] - q[: form.states]).max(), np.abs(new - moved).max()
        q, moved = form.exact(found[: len(q)]), new
        if steps[0] < SETTLED and steps[1] < _SETTLED_B:
            return _settled(_with(crystal, change, moved), network, how, (before, q, cycle), at.scale.mask), moved
    said = f"an occupancy still moved by {steps[0]:.2g} and a displacement by {steps[1]:.2g} in cycle {CYCLES}"
    raise RunFailed("refine occupancies with displacements", said, "Restrain them with --restrain, or use fewer states")


def _settled(crystal: Crystal, network: Network, how: How, end: tuple[Fit, Array, int], solvent: Array) -> Refined:
    """The end of a refinement as one of occupancies, at the displacements that were found."""
    (before, point, cycles), form = end, network.form
    after = fit(crystal, point[: form.states], how, solvent)
    objective = objective_of(crystal, after, Restraint.of(network, how.restrain))
    return Refined(network, crystal, before, after, point, form, objective, objective(point, True), cycles)


def _with(crystal: Crystal, change: Displacement, moved: Array) -> Crystal:
    return replace(crystal, basis=Basis(crystal.basis.fixed, change.factors(moved)))


def _joint(crystal: Crystal, at: Fit, restraint: Restraint, change: Displacement, slacks: int) -> JointObjective:
    work = crystal.data.work
    return JointObjective(objective_of(crystal, at, restraint), change, at.scale.total[work], work, slacks)


def _matrix(matrix: Array, many: int) -> Array:
    """The constraints of occupancies, and a change and its slack that add up to what lies between the two bounds."""
    rows, columns = matrix.shape
    whole = np.zeros((rows + many, columns + 2 * many))
    whole[:rows, :columns] = matrix
    whole[rows:, columns:] = np.hstack([np.eye(many), np.eye(many)])
    return whole


def _point(q: Array, moved: Array, change: Displacement) -> Array:
    return np.concatenate([q, (moved - change.lower).ravel(), (change.upper - moved).ravel()])
