"""Arrays of a tree by name, and back: what checkpoints, messages and optimisers call them.

>>> list(named({"dense": {"bias": 1.0, "kernel": 2.0}, "scale": 3.0}))
['dense/bias', 'dense/kernel', 'scale']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import jax
import numpy as np

from atomloom.errors import RunError

Tree = TypeVar("Tree")

SHOWN = 5
"""How many differences a message lists."""


def named(tree: Any) -> dict[str, Any]:
    """The leaves of a tree by the path that leads to them."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def with_named(tree: Tree, leaves: Mapping[str, Any], asked: str = "take arrays by name") -> Tree:
    """The tree with its leaves exchanged for those of these names.

    Args:
        asked: what this is done for, for the message if names or shapes differ.

    Raises:
        RunError: listing the leaves that differ.
    """
    expected = named(tree)
    check_same(expected, leaves, asked)
    new: Tree = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(tree), [leaves[name] for name in expected])
    return new


def check_same(expected: Mapping[str, Any], found: Mapping[str, Any], asked: str) -> None:
    """Refuse leaves that are not those of the model at hand, naming the first that differ."""
    differences = list(_differences(expected, found))
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        todo = "Use the model and the options that it was saved with"
        raise RunError(asked, "; ".join(differences[:SHOWN]) + more, todo)


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*expected, *found}):
        if name not in found:
            yield f"`{name}` is missing"
        elif name not in expected:
            yield f"`{name}` is not in the model"
        elif (have := np.shape(found[name])) != (want := np.shape(expected[name])):
            yield f"`{name}` is {list(have)} and the model has {list(want)}"
