"""Compare plain values with the annotations of a msgspec struct, and say everything that does not fit.

msgspec stops at the first mistake and calls values by their Python types. Here msgspec still decides whether a value
fits; this module walks to the values one by one, so that all mistakes come out at once, each with its key.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, runtime_checkable

import msgspec

from atomloom.experiment.keys import Key
from atomloom.experiment.problems import Problem
from atomloom.experiment.wording import hint, nearest, shown, wanted

Homes = Mapping[str, str]
"""The table, as its header spells it, of a key that somebody may have put into the wrong one."""

_LARGEST = 2**63 - 1  # of a TOML integer
_WRAPPINGS = (Annotated, Union, UnionType)
_NAMED = 12  # known keys in a message when none is near


@runtime_checkable
class Ruled(Protocol):
    """A struct with rules between its fields, checked once each field by itself is right."""

    def problems(self) -> Iterable[Problem]:
        """What is wrong; the keys are relative to this struct."""


def check(kind: Any, value: object, key: Key = (), homes: Homes | None = None) -> Iterator[Problem]:
    """Everything in which `value` differs from the annotation `kind`.

    >>> [problem.found for problem in check(list[int], [1, "2", True])]
    ['is "2"', 'is true']
    """
    right = True
    for problem in _inside(kind, value, key, homes or {}):
        right = False
        yield problem
    if right:
        yield from _itself(kind, value, key)


def bare(kind: Any) -> Any:
    """An annotation without its `Annotated` wrapping."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def members(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the annotation itself."""
    kind = bare(kind)
    if get_origin(kind) in _WRAPPINGS:
        return tuple(inner for member in get_args(kind) for inner in members(member))
    return (kind,)


def is_struct(kind: Any) -> bool:
    """Whether an annotation is a msgspec struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _inside(kind: Any, value: object, key: Key, homes: Homes) -> Iterator[Problem]:
    """What is wrong with the items of a table or an array."""
    if isinstance(value, Mapping):
        struct = next((member for member in members(kind) if is_struct(member)), None)
        if struct is not None:
            yield from _fields(struct, value, key, homes)
            return
        item = _item(kind, dict)
        for name, inner in value.items():
            yield from check(item, inner, (*key, name), homes)
    elif isinstance(value, list | tuple):
        item = _item(kind, list)
        for index, inner in enumerate(value):
            yield from check(item, inner, (*key, index), homes)


def _item(kind: Any, container: type) -> Any:
    """The annotation of what a dict or list holds, Any where it says nothing."""
    for member in members(kind):
        if get_origin(member) is container:
            return get_args(member)[-1]
    return Any


def _fields(struct: Any, value: Mapping[str, object], key: Key, homes: Homes) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    misspelt = set()
    for name, inner in value.items():
        if name in fields:
            yield from check(fields[name].type, inner, (*key, name), homes)
        else:
            misspelt.add(nearest(name, fields))
            yield Problem((*key, name), "is not a known key", _instead(name, fields, homes))
    for name, field in fields.items():
        if field.required and name not in value and name not in misspelt:
            meaning = wanted(msgspec.inspect.type_info(field.type))
            yield Problem((*key, name), "is missing", f"Give {meaning}{_described(field.type)}")


def _instead(name: str, fields: Iterable[str], homes: Homes) -> str:
    """What to do about a key that a table does not have."""
    if name in homes:
        return f"It belongs to {homes[name]}"
    match = nearest(name, fields)
    if match:
        return f"The nearest known key is `{match}`"
    known = [f"`{field}`" for field in fields]
    more = ", ..." if len(known) > _NAMED else ""
    return f"Known keys are {', '.join(known[:_NAMED])}{more}" if known else "This table has no keys"


def _described(kind: Any) -> str:
    text = description(kind)
    return f": {text}" if text else ""


def description(kind: Any) -> str:
    """The description in the `msgspec.Meta` of an annotation."""
    texts = [meta.description for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    inner = (description(argument) for argument in get_args(kind) if get_origin(kind) in _WRAPPINGS)
    return next((text for text in (*texts, *inner) if text), "")


def _itself(kind: Any, value: object, key: Key) -> Iterator[Problem]:
    """What is wrong with a value whose items, if any, are right."""
    if isinstance(value, float) and (math.isnan(value) or (math.isinf(value) and bare(kind) is not Any)):
        yield Problem(key, f"is {value}", "It has to be a finite number")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield Problem(key, f"is {shown(value)}", "It has to fit into 64 bits")
    else:
        yield from _converted(kind, value, key)


def _converted(kind: Any, value: object, key: Key) -> Iterator[Problem]:
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if isinstance(value, Mapping) and any(is_struct(member) for member in members(kind)):
            # The fields are right one by one, so this is what the struct's own __post_init__ says.
            yield Problem(key, f"is refused: {str(error).removesuffix(' - at `$`')}", "Change one of its values")
        else:
            info = msgspec.inspect.type_info(kind)
            yield Problem(key, f"is {shown(value)}", f"It has to be {wanted(info)}{hint(info, value, key)}")
    else:
        if isinstance(made, Ruled):
            yield from (problem.under(key) for problem in made.problems())
