"""The target as a function of occupancies, with exact gradient and Hessian, since F_model is linear in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.active_set import Local
from atomloom_occupancy.likelihood import Target
from atomloom_occupancy.states import Network
from atomloom_occupancy.transform import Complex

_TINY = 1e-9
_BLOCK = 1024


@dataclass(frozen=True)
class Restraint:
    """The sum of weight (q - expected)^2: what is known about occupancies beforehand.

    Args:
        weight: (states,) 0 for none.
        expected: (states,)
    """

    weight: Array
    expected: Array

    @classmethod
    def of(cls, network: Network, weight: float) -> Restraint:
        """Towards the occupancies of the file with this weight, and towards what else is expected."""
        weights = np.full(len(network.states), float(weight))
        pull = weights * network.start
        for each in network.expected:
            weights[each.state] += each.weight
            pull[each.state] += each.weight * each.value
        return cls(weights, np.divide(pull, weights, out=network.start.copy(), where=weights > 0))


@dataclass(frozen=True)
class Objective:
    """A target over the points of a `StandardForm`, of which slacks come last and do not count.

    Args:
        target: of |F_model|.
        base: (reflections,) F_model without the states.
        slopes: (states, reflections) the derivative of F_model by each occupancy.
        restraint: added to the target.
    """

    target: Target
    base: Complex
    slopes: Complex
    restraint: Restraint

    @cached_property
    def _parts(self) -> tuple[Array, Array]:
        return np.ascontiguousarray(self.slopes.real), np.ascontiguousarray(self.slopes.imag)

    def model(self, q: Array) -> Complex:
        """(reflections,) F_model for these occupancies."""
        real, imaginary = self._parts
        return np.asarray(self.base + (q @ real) + 1j * (q @ imaginary))

    def __call__(self, point: Array, hessian: bool = True) -> Local:
        """The value; gradient and Hessian where they are asked for, zeros otherwise."""
        states, size = len(self.slopes), len(point)
        q = point[:states]
        model = self.model(q)
        amplitude = np.maximum(np.abs(model), _TINY)
        off = q - self.restraint.expected
        value = self.target.value(amplitude) + float(np.sum(self.restraint.weight * off**2))
        gradient, second = np.zeros(size), np.zeros((size, size))
        if hessian:
            real, imaginary = self._parts
            pull = self.target.slope(amplitude) * model / amplitude
            gradient[:states] = real @ pull.real + imaginary @ pull.imag + 2 * self.restraint.weight * off
            second[:states, :states] = curvature(self.target, model, real, imaginary)
            second[range(states), range(states)] += 2 * self.restraint.weight
        return Local(value, gradient, second)


def curvature(target: Target, model: Complex, real: Array, imaginary: Array) -> Array:
    """(parameters, parameters) the Hessian of a target when F_model is linear in the parameters.

    With the derivatives dF/dp turned by the phase of F_model, their real part u is that of |F|, and their imaginary
    part v moves F across: the second derivative of |F| is v_p v_q / |F|. Both are made for some reflections at a time,
    which the processor keeps at hand.

    Args:
        target: of |F|.
        model: (reflections,) F_model.
        real: (parameters, reflections) the real part of dF/dp.
        imaginary: (parameters, reflections) its imaginary part.
    """
    amplitude = np.maximum(np.abs(model), _TINY)
    cosine, sine = model.real / amplitude, model.imag / amplitude
    bend, turn = target.curvature(amplitude), target.slope(amplitude) / amplitude
    total = np.zeros((len(real), len(real)))
    for first in range(0, len(model), _BLOCK):
        part = slice(first, first + _BLOCK)
        x, y = real[:, part], imaginary[:, part]
        along, across = x * cosine[part] + y * sine[part], y * cosine[part] - x * sine[part]
        total += (along * bend[part]) @ along.T
        total += (across * turn[part]) @ across.T
    return total
