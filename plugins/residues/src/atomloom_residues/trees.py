"""Trees of parameters: nested containers of arrays as one mapping from paths to arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError

Array = NDArray[Any]
Path = tuple[str | int, ...]
"""Keys from the root to a leaf: names in dicts, places in lists and tuples."""

Tree = Mapping[Path, Array]

ENTRIES = ("trainer_state", "params", "model_state_dict", "state_dict")
"""Under which trainers keep the parameters among other things."""


def leaf_name(path: Path) -> str:
    """A path as people and files write it.

    >>> leaf_name(("Embedding", "w"))
    'Embedding/w'
    """
    return "/".join(map(str, path))


def flatten(value: Any, convert: Callable[[Any], Any] = lambda leaf: leaf) -> dict[Path, Array]:
    """Every array and number in nested dicts, lists and tuples; None is nothing, and anything else an error.

    Args:
        convert: what to make of a leaf before it is looked at.

    >>> sorted(map(leaf_name, flatten({"layers": [{"w": np.ones(2)}, {"w": np.ones(2)}]})))
    ['layers/0/w', 'layers/1/w']
    """
    return dict(_leaves(value, (), convert))


def _leaves(value: Any, path: Path, convert: Callable[[Any], Any]) -> Iterator[tuple[Path, Array]]:
    for key, held in _children(value):
        yield from _leaves(held, (*path, key), convert)
    if isinstance(value, Mapping | list | tuple) or value is None:
        return
    leaf = convert(value)
    if (
        not isinstance(leaf, np.ndarray | np.generic | float | int | complex)
        or np.asarray(leaf).dtype.kind not in "fciub"
    ):
        found = f"'{leaf_name(path)}' is {_what(leaf)}"
        raise DataError("read a tree of parameters", found, "Name the part that holds parameters alone with --entry")
    yield path, np.asarray(leaf)


def _children(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return ((key if isinstance(key, int) else str(key), held) for key, held in value.items())
    return enumerate(value) if isinstance(value, list | tuple) else ()


def _what(leaf: Any) -> str:
    if isinstance(leaf, np.ndarray):
        return f"an array of {leaf.dtype}"
    return f"{leaf!r}"[:80]


def entry_of(value: Any, entry: str = "") -> tuple[Any, str]:
    """The part of a trainer's state that holds the parameters, and under which keys that is.

    Args:
        entry: keys joined by slashes; without one, those of `ENTRIES` that are there are followed.

    >>> entry_of({"step": 3, "trainer_state": {"params": {"w": 1.0}, "opt_state": ()}})
    ({'w': 1.0}, 'trainer_state/params')
    """
    if entry:
        for key in entry.split("/"):
            value = _held(value, key, entry)
        return value, entry
    taken: list[str] = []
    while isinstance(value, Mapping) and (known := [key for key in ENTRIES if key in value]):
        taken.append(known[0])
        value = value[known[0]]
    return value, "/".join(taken)


def _held(value: Any, key: str, entry: str) -> Any:
    if isinstance(value, Mapping) and key in value:
        return value[key]
    if isinstance(value, list | tuple) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    keys = ", ".join(map(str, list(value)[:10])) if isinstance(value, Mapping) else f"a {type(value).__name__}"
    raise DataError(f"take the entry '{entry}'", f"there is no '{key}' in it, but {keys}", "Name one that is there")


def nested(tree: Mapping[Path, Any]) -> Any:
    """The inverse of `flatten`, with lists for tuples.

    >>> nested({("a", 0): np.array(1.0), ("a", 1): np.array(2.0)})
    {'a': [array(1.), array(2.)]}
    """
    root: dict[str | int, Any] = {}
    for path, leaf in tree.items():
        if not path:
            return leaf
        here = root
        for key in path[:-1]:
            here = here.setdefault(key, {})
        here[path[-1]] = leaf
    return _listed(root)


def _listed(value: Any) -> Any:
    """Dicts whose keys are 0, 1, 2, ... as lists."""
    if not isinstance(value, dict):
        return value
    held = {key: _listed(inner) for key, inner in value.items()}
    return [held[place] for place in range(len(held))] if held and set(held) == set(range(len(held))) else held
