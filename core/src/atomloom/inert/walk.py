"""Goes through everything in a decoded pickle, each container once, without recursion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from atomloom.inert.limits import LEVELS, NODES, Refused
from atomloom.inert.stub import Stub

_SEQUENCES = (list, tuple, set, frozenset)
_CONTAINERS = frozenset({*_SEQUENCES, dict, OrderedDict, Stub, np.ndarray})


def children(value: Any) -> Iterable[Any]:
    """What a container holds directly; nothing for any other value."""
    kind = type(value)
    if kind in _SEQUENCES:
        return value  # type: ignore[no-any-return]  # one of the four kinds above
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if kind is np.ndarray and value.dtype == object:
        return value.ravel().tolist()  # type: ignore[no-any-return]  # a list, by its documentation
    if kind is Stub:
        return [value.maker, value.args, value.kwargs, value.state, value.items, value.entries]
    return ()


def walk(root: Any) -> Iterator[Any]:
    """Every container in `root` after what it holds, each once."""
    done: set[int] = set()
    path = [(root, iter(children(root)))]
    while path:
        value, rest = path[-1]
        for child in rest:
            if type(child) in _CONTAINERS and id(child) not in done:
                done.add(id(child))
                path.append((child, iter(children(child))))
                break
        else:
            path.pop()
            yield value


def stubs(root: Any) -> tuple[Stub, ...]:
    """Every `Stub` in a decoded pickle: what was not understood.

    >>> stubs([1, {"where": Stub("pathlib", "PosixPath", ("/",))}])
    (Stub('pathlib.PosixPath', args=1),)
    """
    return tuple(value for value in walk(root) if type(value) is Stub)


def check(root: Any) -> None:
    """Raises `Refused` where `root` is nested too deeply, or explodes when shared parts are written out."""
    sizes: dict[int, int] = {id(root): 1}
    path = [(root, iter(children(root)))]
    while path:
        value, rest = path[-1]
        here = id(value)
        for child in rest:
            if type(child) not in _CONTAINERS:
                sizes[here] += 1
            elif id(child) in sizes:
                sizes[here] += sizes[id(child)]
            else:
                sizes[id(child)] = 1
                path.append((child, iter(children(child))))
                break
        else:
            path.pop()
            if path:
                sizes[id(path[-1][0])] += sizes[here]
        _limit(len(path), sizes[here])


def _limit(levels: int, nodes: int) -> None:
    if levels > LEVELS:
        raise Refused(f"its containers are nested more than {LEVELS} times")
    if nodes > NODES:
        raise Refused(f"its shared parts unfold to more than {NODES} values")
