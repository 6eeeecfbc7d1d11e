"""One compiled program for each shape of a batch, and how many there are.

Programs are compiled ahead of their first use, so that a second one for the same shape cannot come about unnoticed:
arrays that do not fit a compiled program are an error of JAX, not a new compilation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

import jax
from jax.stages import Compiled

from atomloom.batching import Shape
from atomloom_jax.memory import Demand, check_fits


class Programs:
    """A function compiled once for each shape.

    Args:
        function: takes the batch as its last argument.
        what: it does, for the log.
        logger: is told of each compilation.
        donated: places of the arguments whose memory the results take over.
        limit: bytes that a program may take, or None.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        what: str,
        logger: logging.Logger,
        *,
        donated: tuple[int, ...] = (),
        limit: int | None = None,
    ) -> None:
        self._function = jax.jit(function, donate_argnums=donated)
        self._what, self._logger, self._limit = what, logger, limit
        self._compiled: dict[Shape, Compiled] = {}
        self.demands: dict[Shape, Demand] = {}
        """How much memory the programs take."""
        self.seconds = 0.0
        """How long all compilations took."""

    @property
    def compilations(self) -> int:
        """How many programs there are: as many as shapes were seen."""
        return len(self._compiled)

    def __call__(self, shape: Shape, *arguments: Any) -> Any:
        """The function's value for a batch of this shape."""
        if shape not in self._compiled:
            self._compiled[shape] = self._compile(shape, arguments)
        return self._compiled[shape](*arguments)

    def _compile(self, shape: Shape, arguments: tuple[Any, ...]) -> Compiled:
        began = perf_counter()
        compiled = self._function.lower(*arguments).compile()
        seconds = perf_counter() - began
        self.seconds += seconds
        fixed = sum(leaf.nbytes for leaf in jax.tree.leaves(arguments[:-1]))
        demand = self.demands[shape] = Demand.of(compiled, shape, fixed)
        size = f"{demand.whole / 1e6:,.0f} MB"
        self._logger.info("compiled %s for %s in %.1f s; it takes %s", self._what, described(shape), seconds, size)
        check_fits(demand, self._limit)
        return compiled


def described(shape: Shape) -> str:
    """A shape in words.

    >>> described(Shape(frames=4, atoms=36, pairs=288))
    '4 frames, 36 atoms, 288 pairs'
    """
    named = {"frames": shape.frames, "atoms": shape.atoms, "pairs": shape.pairs, "grid points": shape.grid}
    return ", ".join(f"{count} {name}" for name, count in named.items() if count)
