"""Force errors by residue of any model whose forces can be had as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.batching import Near, PaddedBatch, fixed_shape, in_order
from atomloom.data import Dataset
from atomloom.errors import ConfigError
from atomloom.model import Model
from atomloom_residues.bucket_reading import union
from atomloom_residues.force_measures import measure
from atomloom_residues.forces import Array, Forces, forces_of
from atomloom_residues.residue_errors import Options, judge

BATCH = 16
"""Frames that are predicted at a time."""

_CONFIG = ("model_id", "batch_size", "frames_per_block", "draws", "seed")

Predict = Callable[[Any, PaddedBatch], Any]


def compute_per_residue_errors(
    model: Any, params: Any, dataset: Dataset | str | Path, config: Mapping[str, Any] | None = None, n_frames: int = 100
) -> dict[str, Any]:
    """The force errors of a model, by bead and by residue.

    Args:
        model: an `atomloom.Model`, anything else with ``predict(params, batch)``, or a function of the same arguments;
            it gives ``{"F": [slots, 3]}`` or the forces alone, in the slots of the batch.
        params: of the model.
        dataset: with ``F``; or a padded NPZ of proteins.
        config: any of ``model_id``, ``batch_size``, ``frames_per_block``, ``draws`` and ``seed``.
        n_frames: how many frames to judge, evenly spread over the data.

    Returns:
        A dict. ``rmse_per_atom [longest]`` is the vector RMSE of each bead slot over the frames that have it, beside
        ``component_rmse_per_atom``, ``mae_per_atom``, ``cosine_per_atom``, ``magnitude_ratio_per_atom``,
        ``null_rmse_per_atom`` and ``skill_per_atom``; ``species`` and ``mask`` are ``[frames, longest]``, since both
        differ from frame to frame; ``aa_names`` is the name of each species; ``judgement`` has all strata with their
        intervals, ``forces`` what they are of, ``model_id`` and ``unit`` what to call them.
    """
    options = dict(config or {})
    if unknown := sorted(set(options) - set(_CONFIG)):
        raise ConfigError("judge forces", f"the config has {', '.join(unknown)}", f"It may have {', '.join(_CONFIG)}")
    data = dataset if isinstance(dataset, Dataset) else union([dataset])
    kept = data[_spread(len(data), n_frames)]
    predicted = _predicted(model, params, kept, int(options.get("batch_size", BATCH)))
    forces = forces_of(kept, predicted)
    how = Options(
        options.get("frames_per_block"), options.get("draws", Options.draws), options.get("seed", Options.seed)
    )
    return results_of(forces, str(options.get("model_id", "model")), how)


def results_of(
    forces: Forces, model_id: str, options: Options | None = None, other: Forces | None = None
) -> dict[str, Any]:
    """What `compute_per_residue_errors` gives, of forces that are there already."""
    slots = int(forces.slot.max()) + 1
    found = measure(forces.predicted, forces.reference, forces.slot, slots)
    names, species = np.unique(forces.residues.name, return_inverse=True)
    table = np.full((forces.frames, slots), -1, dtype=np.int32)
    table[forces.frame, forces.slot] = species.reshape(-1)[forces.residue]
    return {
        "rmse_per_atom": found.vector_rmse,
        "component_rmse_per_atom": found.component_rmse,
        "mae_per_atom": found.mae,
        "cosine_per_atom": found.cosine,
        "magnitude_ratio_per_atom": found.magnitude_ratio,
        "null_rmse_per_atom": found.null_rmse,
        "skill_per_atom": found.skill,
        "species": table,
        "mask": table >= 0,
        "aa_names": tuple(map(str, names)),
        "n_frames": forces.frames,
        "unit": forces.unit,
        "model_id": model_id,
        "forces": forces,
        "judgement": judge(forces, other, options),
    }


def _spread(frames: int, wanted: int) -> Array:
    """Numbers of frames from the first to the last, evenly spread."""
    if wanted < 1:
        raise ConfigError("judge forces", f"{wanted} frames were asked for", "Ask for one or more")
    return np.unique(np.linspace(0, frames - 1, min(wanted, frames)).round().astype(np.int64))


def _predicted(model: Any, params: Any, dataset: Dataset, batch_size: int) -> Array:
    """Forces of all real beads, one frame behind the other."""
    predict: Predict = getattr(model, "predict", model)
    parts = []
    near = Near(dataset, model.reach(params) if isinstance(model, Model) else math.inf)
    for batch in in_order(dataset, fixed_shape(dataset, batch_size, pairs=near.counts), pairs=near.of):
        given = predict(params, batch)
        forces = np.asarray(given["F"] if isinstance(given, Mapping) else given)
        parts.append(forces.reshape(-1, 3)[batch["atom_mask"]])
    return np.concatenate(parts)
