"""``atomloom new``: start something of your own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from atomloom.scaffold import kinds, start_plugin


def _option_for_each_kind(command: Callable[..., None]) -> Callable[..., None]:
    for kind in reversed(kinds()):
        command = click.option(f"--{kind}", "kind", flag_value=kind, help=f"It brings a {kind}.")(command)
    return command


@click.group()
def new() -> None:
    """Start something of your own."""


@new.command()
@click.argument("name")
@_option_for_each_kind
@click.option(
    "--in", "parent", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Where."
)
def plugin(name: str, kind: str | None, parent: Path) -> None:
    """Write a small complete plugin, the package atomloom-NAME, to go on from."""
    if kind is None:
        raise click.UsageError(f"Say what it shall bring: {' or '.join(f'--{each}' for each in kinds())}.")
    folder = start_plugin(name, kind, parent)
    click.echo(f"Wrote {folder}. Try it:\n")
    click.echo(f"    pip install -e '{folder}[test]'\n    pytest {folder}\n    atomloom plugins")
