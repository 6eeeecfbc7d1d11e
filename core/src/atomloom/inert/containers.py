"""The plain containers that a pickle may make by calling their name.

Each rebuilder takes the arguments of the call and the budget. It returns None for arguments that it does not know,
and the call stays a stub.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from atomloom.inert.keys import key, keys
from atomloom.inert.limits import Budget
from atomloom.inert.stub import Stub

Rebuilder = Callable[[tuple[Any, ...], Budget], Any]

MEMBER = 128
"""Bytes that a member of a container takes, on the safe side."""

_SEQUENCES = (list, tuple, set, frozenset)


def _members(args: tuple[Any, ...], budget: Budget) -> Any:
    """The one sequence in `args`, () where there is none, None where it is something else."""
    if not args:
        return ()
    if len(args) == 1 and type(args[0]) in _SEQUENCES:
        budget.spend(MEMBER * len(args[0]))
        return args[0]
    return None


def _of_members(kind: Callable[[Any], Any], checked: Callable[[Any], Any] = iter) -> Rebuilder:
    def rebuild(args: tuple[Any, ...], budget: Budget) -> Any:
        members = _members(args, budget)
        return None if members is None else kind(checked(members))

    return rebuild


def _mapping(kind: type[dict[Any, Any]]) -> Rebuilder:
    def rebuild(args: tuple[Any, ...], budget: Budget) -> Any:
        if len(args) == 1 and isinstance(args[0], dict):
            budget.spend(MEMBER * len(args[0]))
            return kind(args[0])
        pairs = _members(args, budget)
        if pairs is None or not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
            return None
        return kind((key(name), value) for name, value in pairs)

    return rebuild


def _defaultdict(args: tuple[Any, ...], budget: Budget) -> Any:
    """A plain dict: the factory of missing values is a name in the file, which is not called."""
    return _mapping(dict)(args[1:], budget)


def _deque(args: tuple[Any, ...], budget: Budget) -> Any:
    """A list: Python frees deques that hold each other by recursion, which a file could make exhaust the stack."""
    members = _members(args[:1], budget)
    return None if members is None else list(members)


def _bytes(args: tuple[Any, ...], budget: Budget) -> Any:
    raw = _raw(args, budget)
    return None if raw is None else bytes(raw)


def _bytearray(args: tuple[Any, ...], budget: Budget) -> Any:
    raw = _raw(args, budget)
    return None if raw is None else bytearray(raw)


def _raw(args: tuple[Any, ...], budget: Budget) -> bytes | bytearray | None:
    """The bytes in ``()``, ``(bytes,)`` or ``(text, "latin-1")``; a number (a size!) is none of them."""
    if not args:
        return b""
    if len(args) == 1 and type(args[0]) in (bytes, bytearray):
        budget.spend(len(args[0]))
        raw: bytes | bytearray = args[0]
        return raw
    return _encoded(args, budget) if len(args) == 2 else None


def _encoded(args: tuple[Any, ...], budget: Budget) -> bytes | None:
    """``_codecs.encode(text, "latin1")``, which is how old protocols write bytes."""
    if len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        return None
    budget.spend(len(args[0]))
    return args[0].encode("latin-1")


def _complex(args: tuple[Any, ...], budget: Budget) -> complex | None:
    if len(args) == 2 and all(type(part) in (float, int) for part in args):
        return complex(*args)
    return None


def _slice(args: tuple[Any, ...], budget: Budget) -> slice | None:
    """A slice of numbers; slices of slices would be freed by recursion (see `_deque`)."""
    return slice(*args) if len(args) == 3 and all(part is None or type(part) is int for part in args) else None


def _instance(args: tuple[Any, ...], budget: Budget) -> Stub | None:
    """``copyreg._reconstructor(class, base, content)``: how protocols 0 and 1 make an instance."""
    if len(args) != 3 or not isinstance(args[0], Stub):
        return None
    held = args[2]
    stub = Stub(args[0].module, args[0].name, held if type(held) is tuple else (), new=True)
    if type(held) is dict:
        stub.entries.extend(held.items())
    elif type(held) in (list, set, frozenset):
        stub.items.extend(held)
    elif type(held) is not tuple and held is not None:
        stub.args = (held,)
    return stub


CONTAINERS: Final[dict[tuple[str, str], Rebuilder]] = {
    ("builtins", "list"): _of_members(list),
    ("builtins", "tuple"): _of_members(tuple),
    ("builtins", "set"): _of_members(set, keys),
    ("builtins", "frozenset"): _of_members(frozenset, keys),
    ("builtins", "dict"): _mapping(dict),
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "complex"): _complex,
    ("builtins", "slice"): _slice,
    ("collections", "OrderedDict"): _mapping(OrderedDict),
    ("collections", "Counter"): _mapping(dict),
    ("collections", "defaultdict"): _defaultdict,
    ("collections", "deque"): _deque,
    ("_codecs", "encode"): _encoded,
    ("copyreg", "_reconstructor"): _instance,
}
"""Rebuilders by (module, name), as Python 3 spells them."""
