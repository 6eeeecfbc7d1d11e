"""Losses on amplitudes: Read's maximum likelihood and least squares, over the reflections that are refined against.

A model that predicts F_obs, the amplitudes that it expects, may predict ``model_alpha`` and ``model_beta`` beside them,
the parameters of its error; data that hold ``centric`` and ``epsilon`` have these counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomloom.losses import SumAndCount
from atomloom.model import Ops

Values = Mapping[str, Any]

_TINY = 1e-12


def ml(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The negative logarithm of Read's likelihood of every observed amplitude, see `atomloom_occupancy.likelihood`."""
    xp, observed, model = ops.xp, target["F_obs"], predicted["F_obs"]
    alpha, beta = predicted["model_alpha"], predicted["model_beta"]
    half = xp.where(target["centric"], 0.5, 1.0)
    x = 2 * half * alpha * observed * model / beta
    centric = x + xp.log1p(xp.exp(-2 * x)) - 0.6931471805599453
    peak = xp.where(target["centric"], centric, xp.log(ops.i0e(x)) + x)
    norm = -xp.log(2 * xp.where(observed > _TINY, observed, _TINY) / beta)
    norm = xp.where(target["centric"], 0.5 * xp.log(1.5707963267948966 * beta), norm)
    lost = norm + half * (observed**2 + (alpha * model) ** 2) / beta - peak
    return _over_work(lost, target, weight, ops)


def ls(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """Squared differences of amplitudes, each divided by twice its variance ``model_beta``."""
    lost = (target["F_obs"] - predicted["F_obs"]) ** 2 / (2 * predicted["model_beta"])
    return _over_work(lost, target, weight, ops)


def _over_work(lost: Any, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The sum of each frame over reflections that are real and not free."""
    used = target["reflection_mask"] & ~target["free_flag"]
    kept = ops.xp.where(used, lost, 0.0)
    segments, frames = target["reflection_segments"], len(target["frame_mask"])
    total = ops.segment_sum(kept, segments, frames)
    count = ops.segment_sum(ops.xp.where(used, kept * 0 + 1.0, 0.0), segments, frames)
    return weight * total, weight * count
