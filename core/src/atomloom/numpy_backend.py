"""The numpy backend: functions for losses; its models bring their own fit."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from atomloom.model import Backend

Array = NDArray[np.floating[Any]]
_ASYMPTOTIC = 30.0
_TERMS = 20


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options that every fit has."""

    num_epochs: Annotated[int, msgspec.Meta(ge=1, description="How many epochs to fit.")] = 100
    save_every_n_epochs: Annotated[int, msgspec.Meta(ge=0, description="Keep a checkpoint every so many epochs.")] = 0
    keep_last: Annotated[int, msgspec.Meta(ge=1, description="How many of these are kept.")] = 3
    seed: Annotated[int, msgspec.Meta(ge=0, description="Of the initial state and of the order of frames.")] = 0


class NumpyOps:
    """See `atomloom.model.Ops`.

    >>> NumpyOps().segment_sum(np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]), 2).tolist()
    [3.0, 3.0]
    """

    xp = np

    def segment_sum(self, values: NDArray[Any], segments: NDArray[Any], count: int) -> NDArray[Any]:
        """Sums of the rows of each segment."""
        sums = np.zeros((count, *values.shape[1:]), dtype=values.dtype)
        np.add.at(sums, segments, values)
        return sums

    def i0e(self, x: Array) -> Array:
        """I0(x) exp(-abs(x)): numpy's i0 below 30, its asymptotic series (DLMF 10.40.1) above."""
        size = np.abs(np.asarray(x, dtype=np.float64))
        small = np.minimum(size, _ASYMPTOTIC)
        near = np.i0(small) * np.exp(-small)
        large = np.maximum(size, _ASYMPTOTIC)
        term, series = np.ones_like(large), np.ones_like(large)
        for k in range(1, _TERMS):
            term = term * (2 * k - 1) ** 2 / (8 * k * large)
            series = series + term
        return np.where(size <= _ASYMPTOTIC, near, series / np.sqrt(2 * np.pi * large))

    def logsumexp(self, x: Array, axis: int = -1) -> Array:
        """log(sum(exp(x))) along an axis, shifted by the largest value so that nothing overflows."""
        top = np.max(x, axis=axis, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore", over="ignore"):  # infinities come out as they should
            total: Array = np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis=axis)
        return total


class NumpyBackend(Backend):
    """Models in numpy, each with a fit of its own."""

    ops = NumpyOps()


BACKEND = NumpyBackend()
