"""The options of a msgspec struct: what `--help` and the error messages know about them, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from atomloom.experiment.wording import shown, wanted
from atomloom.registry import resolve

from .markdown import code, table


def struct(reference: str) -> str:
    """The keys of ``module:Struct``."""
    return table(("key", "what", "values", "default"), rows_of(resolve(reference)))


def rows_of(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str, str, str]]:
    """Name, description, values and default of each field."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        yield code(field.encode_name), description(field.type), wanted(field.type), default(field)


def description(info: inspect.Type) -> str:
    """What the field's `msgspec.Meta` says it is."""
    while isinstance(info, inspect.Metadata):
        text = (info.extra_json_schema or {}).get("description")
        if text:
            return str(text)
        info = info.type
    return ""


def default(field: inspect.Field) -> str:
    """The default in TOML; tables that may be left out have no value to show."""
    if field.required:
        return "**required**"
    value: Any = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None
    if value is None or isinstance(value, dict | msgspec.Struct):
        return ""
    return code(shown(value))
