"""Turns the well-known containers among the stubs of a pickle into dicts, tuples and arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from atomloom.errors import DataError
from atomloom.inert.keys import key
from atomloom.inert.limits import MALFORMED, Budget
from atomloom.inert.names import finished
from atomloom.inert.stub import Stub
from atomloom.inert.walk import walk

Rule = Callable[[Stub], Any]
"""Takes a stub; returns what it stands for, or the stub where its content has another form."""


def _first_argument(stub: Stub) -> Any:
    """A mapping class whose only argument is the dict it wraps, in `args` or as its first attribute."""
    if stub.args and type(stub.args[0]) in (dict, OrderedDict):
        return stub.args[0]
    held = stub.state.get("_dict") if type(stub.state) is dict else None
    return stub if held is None else held


def _jax_array(stub: Stub) -> Any:
    """``reconstruct(function, args, state, aval)``: a numpy array on its way to a device."""
    if stub.args is None or len(stub.args) < 3 or not isinstance(stub.args[0], Stub) or type(stub.args[1]) is not tuple:
        return stub
    function, args, state = stub.args[:3]
    array = finished(Stub(function.module, function.name, args), state, Budget(0))
    return stub if array is None else array


KNOWN: Final[dict[str, Rule]] = {
    "haiku._src.data_structures.FlatMapping": _first_argument,
    "haiku._src.data_structures.FlatMap": _first_argument,
    "haiku._src.data_structures.frozendict": _first_argument,
    "flax.core.frozen_dict.FrozenDict": _first_argument,
    "immutabledict.immutabledict": _first_argument,
    "jax._src.array._reconstruct_array": _jax_array,
    "jax._src.device_array.reconstruct_device_array": _jax_array,
    "jax.interpreters.xla.reconstruct_device_array": _jax_array,
}
"""Containers of known libraries, by the path that stands in the file."""


def _by_form(stub: Stub) -> Any:
    """An instance of an unknown class, by what its pickle says of it.

    Without arguments: what was put in (a dict or list class), else its attributes (a dataclass). With arguments
    and nothing else: a named tuple, or another class over a tuple.
    """
    if not stub.new or stub.kwargs:
        return stub
    held = [part for part in (stub.items, stub.entries, _attributes(stub.state)) if part is not None and part != []]
    if not held:
        return stub.args
    return held[0] if len(held) == 1 and not stub.args else stub


def _attributes(state: Any) -> Any:
    """The attributes in a state: a dict, or the second of ``(None, dict)`` for a class with slots."""
    if type(state) is tuple and len(state) == 2 and state[0] is None:
        return state[1]
    return state


def plain(value: Any) -> Any:
    """A copy of a decoded pickle in which known containers are dicts, tuples, lists and arrays.

    Trainer states hold haiku's ``FlatMapping``, flax' ``FrozenDict``, optax' named tuples and jax arrays; `KNOWN`
    lists them. Instances of other classes become what their pickle says they hold: named tuples become tuples (their
    field names are not in the file), dataclasses the dict of their attributes. What remains unknown stays a `Stub`
    (see `stubs`), as do keys. Values that the file shares stay shared, and arrays are not copied.

    >>> plain([Stub("flax.core.frozen_dict", "FrozenDict", ({"bias": 1.0},))])
    [{'bias': 1.0}]
    """
    try:
        return _Copy(value).of(value)
    except MALFORMED as error:
        todo = "Get the file again from where it came from"
        raise DataError("make plain values of the pickle", str(error) or "its content makes no sense", todo) from None


class _Copy:
    """Copies containers from the inside out, so that nothing recurses however deep they are."""

    def __init__(self, root: Any) -> None:
        self.made: dict[int, Any] = {}
        self.meant: dict[int, Any] = {}
        order = list(walk(root))
        for value in order:
            self._prepare(value)
        for at, meant in self.meant.items():
            if id(meant) in self.made:
                self.made.setdefault(at, self.made[id(meant)])
        for value in order:
            self._fill(value)

    def of(self, value: Any) -> Any:
        """The copy of `value`; the value itself where it is no container or still to be made."""
        return self.made.get(id(value), value)

    def _prepare(self, value: Any) -> None:
        """Makes what can hold itself before its content exists."""
        if type(value) in (list, dict, OrderedDict):
            self.made[id(value)] = type(value)()
        elif type(value) is Stub and value.args is not None:
            meant = value if value.maker is not None else KNOWN.get(value.path, _by_form)(value)
            self.meant[id(value)] = meant
            if meant is value:
                self.made[id(value)] = Stub(value.module, value.name, (), new=value.new)
            elif meant is value.entries:
                self.made[id(value)] = {}

    def _fill(self, value: Any) -> None:
        made: Any = self.made.get(id(value))
        if type(value) is list:
            made.extend(map(self.of, value))
        elif isinstance(value, dict):
            made.update((name, self.of(held)) for name, held in value.items())
        elif type(value) is tuple:
            self.made[id(value)] = tuple(map(self.of, value))
        elif type(value) is np.ndarray and value.dtype == object:
            self.made[id(value)] = _filled(value, [self.of(held) for held in value.ravel().tolist()])
        elif type(value) is Stub and value.args is not None:
            self._fill_stub(value, made)

    def _fill_stub(self, stub: Stub, made: Any) -> None:
        meant = self.meant[id(stub)]
        if meant is stub:
            made.args, made.kwargs, made.state = self.of(stub.args), self.of(stub.kwargs), self.of(stub.state)
            made.items, made.entries, made.maker = self.of(stub.items), self.of(stub.entries), self.of(stub.maker)
        elif meant is stub.entries:
            made.update((key(name), self.of(held)) for name, held in meant)
        else:
            self.made[id(stub)] = self.of(meant)


def _filled(like: np.ndarray[Any, Any], values: list[Any]) -> np.ndarray[Any, Any]:
    flat = np.empty(like.size, object)
    for at, value in enumerate(values):
        flat[at] = value
    return flat.reshape(like.shape)
