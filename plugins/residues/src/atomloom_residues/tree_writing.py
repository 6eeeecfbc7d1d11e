"""Writes an averaged tree: safetensors with its provenance, or a pickle of plain dicts for tools that need one."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

import numpy as np
from safetensors.numpy import save

from atomloom.errors import DataError, TargetError
from atomloom.runs import Checkpoint, atomic_file
from atomloom.runs import checkpoint as checkpoints
from atomloom_residues.checkpoint_file import AVERAGED
from atomloom_residues.trees import Array, Tree, leaf_name, nested

_SUFFIXES = (".safetensors", ".pkl")


def check_output(path: File, *, overwrite: bool = False) -> None:
    """Stops before any work at an output that cannot be written."""
    if path.suffix not in _SUFFIXES:
        found = f"its suffix is {path.suffix!r}"
        raise TargetError(f"write '{path}'", found, "Call it .safetensors, or .pkl for tools that need a pickle")
    if path.exists() and not overwrite:
        raise TargetError(f"write '{path}'", "it exists", "Choose another name, or replace it with --overwrite")
    if not path.parent.is_dir():
        raise TargetError(f"write '{path}'", f"there is no folder '{path.parent}'", "Make it first")


def write_tree(tree: Tree, path: File, provenance: Mapping[str, Any], epoch: int | None = None) -> None:
    """Write an averaged tree.

    Args:
        path: a ``.pkl`` gets nested dicts and lists of numpy arrays as the sources have them, and ``.safetensors`` the
            leaves by their names joined by slashes.
        provenance: where the numbers come from.
        epoch: of the newest source, where they are checkpoints of a run: then the file is one of that run too.
    """
    if path.suffix == ".pkl":
        with atomic_file(path, "wb") as file:
            pickle.dump(nested(tree), file, protocol=4)
        return
    leaves = {leaf_name(key): np.ascontiguousarray(tree[key]).reshape(tree[key].shape) for key in tree}
    if len(leaves) < len(tree):
        raise DataError(f"write '{path}'", "two leaves have one name once joined by slashes", "Write a .pkl instead")
    if epoch is not None:
        checkpoints.save(path, Checkpoint(epoch, leaves, {AVERAGED: provenance}))
        return
    _plain(leaves, path, provenance)


def _plain(leaves: dict[str, Array], path: File, provenance: Mapping[str, Any]) -> None:
    content = save(leaves, metadata={AVERAGED: json.dumps(provenance)})
    with atomic_file(path, "wb") as file:
        file.write(content)
