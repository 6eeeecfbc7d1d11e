"""``atomloom inspect``: what is in a file, and how it would be read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import DataOptions, data_options, read_data, watched
from atomloom.cli.output import echo_json, json_option, table
from atomloom.specs import UNRESOLVED

if TYPE_CHECKING:
    from atomloom.pipeline import Harmonised

_MARKS = {"ok": "", "inferred": "inferred", "warning": "open"}


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@data_options
@json_option
def inspect(paths: tuple[str, ...], json_output: bool, **options: Any) -> None:
    """Say what PATHs hold and how each field would be read: name, shape, unit, and by which rule."""
    with watched():
        data = read_data(paths, DataOptions(**options))
    if json_output:
        echo_json(_described(data))
        return
    _print_head(data)
    table(("field", "axes", "unit", "type"), [_row(data, name) for name in data.dataset.columns])
    click.echo()
    if data.report.findings:
        columns = ("field", "in the source", "decided by", "what was done", "")
        table(columns, [(f.field, f.source, f.rule, f.note, _MARKS[f.level]) for f in data.report.findings])
    else:
        click.echo("The source itself says what its fields are.")
    _print_open(data, paths)


def _print_head(data: Harmonised) -> None:
    files = ", ".join(path.absolute().name for path in data.files)  # a folder may be given as "."
    click.echo(f"{files}: {_frames(data)}, read as {data.dataset.meta.get('reader', '?')}\n")


def _print_open(data: Harmonised, paths: tuple[str, ...]) -> None:
    """What is left to settle, as the command that would settle it."""
    fields = data.dataset.fields
    if not any(field.dims for field in fields.values()):
        click.echo(
            "\nNone of these names is known. Say what they are with --as NAME=FIELD; `atomloom fields` lists them."
        )
    unsettled = [name for name, field in fields.items() if field.unit == UNRESOLVED]
    if unsettled:
        options = " ".join(f"--unit {_unmistakable(name, data)}=UNIT" for name in unsettled)
        click.echo(f"\nTo settle what is open: atomloom inspect {shlex.join(paths)} {options}")


def _unmistakable(name: str, data: Harmonised) -> str:
    """The name of a field, or what the source calls it where the source calls another field so."""
    sources = {finding.source: finding.field for finding in reversed(data.report.findings) if finding.source}
    called = {field: source for source, field in sources.items()}
    return called.get(name, name) if sources.get(name, name) != name else name


def _frames(data: Harmonised) -> str:
    from atomloom.harmonizing.findings import counted

    frames = counted(len(data.dataset), "frame")
    sizes = data.dataset.sizes.get("atom")
    if sizes is None or not len(sizes):
        return frames
    low, high = int(sizes.min()), int(sizes.max())
    return f"{frames} of {counted(low, 'atom') if low == high else f'{low} to {high} atoms'}"


def _row(data: Harmonised, name: str) -> tuple[str, str, str, str]:
    field, column = data.dataset.fields[name], data.dataset.columns[name]
    unit = "not settled" if field.unit == UNRESOLVED else field.unit
    return name, " ".join(field.dims) or "not recognised", unit, str(column.dtype)


def _described(data: Harmonised) -> dict[str, Any]:
    dataset = data.dataset
    return {
        "files": [str(path) for path in data.files],
        "reader": dataset.meta.get("reader"),
        "frames": len(dataset),
        "sizes": {axis: [int(n.min()), int(n.max())] for axis, n in dataset.sizes.items() if len(n)},
        "fields": {
            name: {"dims": list(field.dims), "unit": field.unit, "dtype": str(dataset.columns[name].dtype)}
            for name, field in dataset.fields.items()
        },
        "findings": [vars(each) for each in data.report.findings],
        "meta": {key: value for key, value in dataset.meta.items() if isinstance(value, str | int | float | bool)},
    }
