"""Arrays in a line each, as lovely-jax tells them: shape, range, mean and spread, and what in them is not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def told(arrays: Mapping[str, Any]) -> Iterator[str]:
    """A line for each array, with its name.

    Raises:
        ModuleNotFoundError: without the extra ``atomloom-jax[lovely]``; `atomloom_jax.checking` refuses that before.
    """
    from lovely_jax import lovely

    width = max(map(len, arrays), default=0)
    return (f"{name:<{width}}  {lovely(array, color=False)}" for name, array in arrays.items())
