"""``atomloom hooks``: what a plugin can bring, how, and who does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import click

from atomloom.cli.output import echo_json, json_option, table
from atomloom.errors import UnknownName
from atomloom.hooks import PROJECT
from atomloom.registry import registry
from atomloom.registry.implementations import specifications
from atomloom.registry.lookup import nearest


@click.command()
@click.argument("name", required=False)
@json_option
def hooks(name: str | None, json_output: bool) -> None:
    """List the hooks, or show the documentation and example of the hook NAME."""
    if name is None:
        rows = [_row(each) for each in specifications().values()]
        table(("hook", "what", "implemented by"), rows, json_output)
        return
    described = _described(_found(name))
    if json_output:
        echo_json(described)
        return
    click.echo(f"{described['signature']}\n\n{described['documentation']}")
    click.echo(f"\nImplemented by: {', '.join(described['implemented_by']) or 'nobody'}")


def _found(name: str) -> Callable[..., Any]:
    known = specifications()
    full = name if name in known else f"{PROJECT}_{name}"
    if full not in known:
        close = nearest(name, known) or nearest(f"{PROJECT}_{name}", known)
        todo = f"Did you mean {' or '.join(map(repr, close))}?" if close else "`atomloom hooks` lists them"
        raise UnknownName(f"show the hook {name!r}", "there is no such hook", todo)
    return known[full]


def _row(function: Callable[..., Any]) -> tuple[str, str, list[str]]:
    return function.__name__, (inspect.getdoc(function) or "").partition("\n")[0], _implementers(function)


def _implementers(function: Callable[..., Any]) -> list[str]:
    return [each.plugin for each in registry().implementations if each.hook == function.__name__]


def _described(function: Callable[..., Any]) -> Mapping[str, Any]:
    return {
        "hook": function.__name__,
        "signature": f"{function.__name__}{inspect.signature(function)}".replace("'", ""),
        "documentation": inspect.getdoc(function),
        "implemented_by": _implementers(function),
    }
