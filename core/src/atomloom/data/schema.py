"""Fields by name: core's and those that plugins declare."""

from __future__ import annotations

from atomloom.registry import registry
from atomloom.specs import Field


def declared(name: str) -> Field:
    """The declaration of a field that core or a plugin registers; raises `UnknownName` for any other."""
    spec = registry().get("fields", name).spec
    assert isinstance(spec, Field)
    return spec


def known_field(name: str) -> Field | None:
    """The declaration of a field, or None where no installed plugin makes one."""
    return declared(name) if any(field.name == name for field in all_fields()) else None


def all_fields() -> tuple[Field, ...]:
    """Every declared field."""
    return tuple(found.spec for found in registry().all("fields") if isinstance(found.spec, Field))


def named_like(name: str) -> list[Field]:
    """The declared fields that go by this name or alias, whatever its case."""
    called = name.casefold()
    return [field for field in all_fields() if called in {word.casefold() for word in (field.name, *field.aliases)}]
