"""Types and values in the words of somebody who writes TOML, not Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches

from msgspec import inspect

from atomloom.experiment.keys import Key, spell

LONGEST = 40
"""Characters of a value that a message repeats."""


def shown(value: object) -> str:
    """A value as TOML would have it, cut short.

    >>> shown(True), shown("a"), shown([1, 2]), shown({"a": 1})
    ('true', '"a"', '[1, 2]', 'a table')
    """
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        text = f"[{', '.join(shown(item) for item in value[:LONGEST])}]"
    elif isinstance(value, str | bool):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = digits(value) if isinstance(value, int) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def digits(number: int) -> str:
    """An integer in digits; Python refuses to write more than some thousands of them."""
    with suppress(ValueError):
        return str(number)
    return f"a number of {number.bit_length()} bits"


def wanted(info: inspect.Type) -> str:
    """What values a type takes.

    >>> from typing import Annotated, Literal
    >>> from msgspec import Meta
    >>> wanted(inspect.type_info(Annotated[int, Meta(ge=1)]))
    'a whole number of at least 1'
    >>> wanted(inspect.type_info(Literal["x", "y"] | None))
    'one of "x", "y"'
    """
    match info:
        case inspect.Metadata(type=inner):
            return wanted(inner)
        case inspect.IntType():
            return f"a whole number{bounds(info)}"
        case inspect.FloatType():
            return f"a number{bounds(info)}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(shown(value) for value in values)}"
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(shown(member.value) for member in cls)}"
        case inspect.UnionType(types=types):
            return " or ".join(wanted(member) for member in types if not isinstance(member, inspect.NoneType))
        case inspect.TupleType(item_types=items):
            words = [wanted(item) for item in items]
            each = f", each {words[0]}" if len(set(words)) == 1 else f": {', '.join(words)}"
            return f"an array of {len(items)} values{each}"
        case inspect.CollectionType(item_type=inspect.StructType()):
            return "one or more tables" if info.min_length else "any number of tables"
        case inspect.CollectionType(item_type=item):
            return f"an array{_filled(info.min_length)}, each item {wanted(item)}"
        case inspect.StrType():
            return "non-empty text" if info.min_length else "text"
        case inspect.DictType() | inspect.StructType():
            return "a table"
        case inspect.BoolType():
            return "true or false"
        case inspect.NoneType():
            return '"none"'
    return type(info).__name__.removesuffix("Type").lower()


def _filled(least: int | None) -> str:
    return f" of at least {least} item{'s' if least > 1 else ''}" if least else ""


def bounds(info: inspect.IntType | inspect.FloatType) -> str:
    """The range of a number in words, with a leading blank."""
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}"
    low = f"at least {info.ge:g}" if info.ge is not None else f"above {info.gt:g}" if info.gt is not None else ""
    high = f"at most {info.le:g}" if info.le is not None else f"below {info.lt:g}" if info.lt is not None else ""
    both = " and ".join(part for part in (low, high) if part)
    if not both:
        return ""
    return f" of {both}" if both.startswith("at") else f" {both}"


def hint(info: inspect.Type, value: object, key: Key) -> str:
    """What may have gone wrong in the spelling of `value`, with a leading semicolon; mostly nothing."""
    known = [choice for member in _members(info) for choice in _choices(member)]
    if isinstance(value, str) and (near := nearest(value, known)):
        return f"; the nearest is {shown(near)}"
    kinds = {type(member) for member in _members(info)}
    numeric = kinds & {inspect.IntType, inspect.FloatType}
    if isinstance(value, str) and value.lower() in ("true", "false") and inspect.BoolType in kinds:
        return f"; write {value.lower()} without quotes"
    if isinstance(value, str) and numeric and _is_number(value):
        return "; leave out the quotes"
    if isinstance(value, int | float) and inspect.StrType in kinds:
        return "; put it in quotes" if not numeric else ""
    if isinstance(value, Mapping) and kinds & {inspect.ListType}:
        return f"; write [[{spell(key)}]] with two brackets"
    if isinstance(value, list) and kinds & {inspect.StructType, inspect.DictType}:
        return f"; write [{spell(key)}] with one bracket"
    if isinstance(value, str) and inspect.DictType in kinds:
        return "; write { KEY = VALUE }"
    return ""


def _members(info: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(info, inspect.Metadata):
        return _members(info.type)
    return info.types if isinstance(info, inspect.UnionType) else (info,)


def _choices(info: inspect.Type) -> list[str]:
    values = info.values if isinstance(info, inspect.LiteralType) else ()
    return [value for value in values if isinstance(value, str)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`, or an empty string."""
    spelled = {_folded(candidate): candidate for candidate in known}
    return next((spelled[match] for match in get_close_matches(_folded(name), spelled, n=1)), "")


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def visible(text: str) -> str:
    """A text with escapes for what would not show, or would play tricks with a terminal.

    >>> visible("a" + chr(27) + "[2J") == "a" + chr(92) + "x1b[2J"
    True
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
