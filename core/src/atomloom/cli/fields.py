"""``atomloom fields``: the names, axes and units that data sets are read to."""

from __future__ import annotations

import click

from atomloom.cli.output import echo_json, json_option, table
from atomloom.registry import Contribution, registry


@click.command()
@click.argument("name", required=False)
@json_option
def fields(name: str | None, json_output: bool) -> None:
    """List the fields of the data contract, those that go by the alias NAME, or tell all about the field NAME."""
    listed = _listed(name)
    if name is None or listed:
        table(("field", "dims", "unit", "aliases", "plugin"), [_row(each) for each in listed], json_output)
        return
    found = registry().get("fields", name)
    described = _described(found)
    if json_output:
        echo_json(described)
        return
    width = max(map(len, described))
    for key, value in described.items():
        shown = " ".join(value) if isinstance(value, tuple) else value
        click.echo(f"{key:{width}}  {shown or '-'}")


def _listed(alias: str | None) -> list[Contribution]:
    """All fields, or those that go by an alias that is not itself a field."""
    known = registry().all("fields")
    if alias is None:
        return list(known)
    if any(each.spec.name == alias for each in known):
        return []
    return [each for each in known if alias.casefold() in map(str.casefold, each.spec.aliases)]


def _row(found: Contribution) -> tuple[object, ...]:
    field = found.spec
    return field.name, field.dims, field.unit or "-", field.aliases, found.plugin


def _described(found: Contribution) -> dict[str, str | tuple[str, ...]]:
    field = found.spec
    return {
        "field": field.name,
        "what": field.doc or field.summary,
        "dims": field.dims,
        "unit": field.unit,
        "dtype": field.dtype,
        "aliases": field.aliases,
        "plugin": found.whence,
    }
