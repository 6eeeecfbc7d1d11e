"""``atomloom memmap info``: what a store holds, and what batches of it would cost."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import echo_json, json_option, table

if TYPE_CHECKING:
    from atomloom_memmap.store import Store

_SOURCES = 10  # of more sources the names are left to --json


@click.command()
@click.argument("store")
@json_option
def info(store: str, json_output: bool) -> None:
    """Say what STORE holds and how large its frames are, and suggest plans of batches with what they waste."""
    from atomloom_memmap.describing import facts
    from atomloom_memmap.store import Store

    with watched():
        opened = Store(store)
        if json_output:
            echo_json(facts(opened))
            return
        _print_head(opened)
        _print_fields(opened)
        _print_sizes(opened)
        _print_plans(opened)


def _print_head(store: Store) -> None:
    from atomloom.data.meta import LEVEL
    from atomloom_memmap.describing import space_of
    from atomloom_memmap.edges import cached_cutoff

    described, space = store.manifest, space_of(store.path, store.manifest)
    share = space.used / max(described.payload, 1)
    shards = "1 shard" if len(store.shards) == 1 else f"{len(store.shards)} shards"
    lines = [
        f"{store.path.name}: {len(store)} frames in {shards} of {space.used / 1e6:.4g} MB, "
        f"{share:.3f} times the values, written by atomloom {described.written_by}",
        f"level of theory: {described.meta.get(LEVEL) or 'not said'}",
    ]
    if described.edges is not None:
        pairs = described.axes["pair"]
        within = f"{cached_cutoff(store):g} angstrom, {pairs.longest} of one frame at the most"
        lines.append(f"edges: {pairs.rows} pairs within {within}")
    if described.sources:
        listed = ", ".join(each.name for each in described.sources[:_SOURCES])
        more = len(described.sources) - _SOURCES
        lines.append(f"sources: {listed}{f' and {more} more' if more > 0 else ''}")
    if space.unused:
        lines.append(f"not used any more: {space.unused / 1e6:.4g} MB, which `atomloom memmap prune` removes")
    click.echo("\n".join(lines) + "\n")


def _print_fields(store: Store) -> None:
    import numpy as np

    from atomloom_memmap.describing import bytes_of

    described = store.manifest
    rows = [
        (name, " ".join(entry.dims) or entry.axis, entry.unit, str(np.dtype(entry.dtype)), bytes_of(described, entry))
        for name, entry in described.fields.items()
    ]
    counted = [(name, "frame", "", f"counted along {axis}", 0) for name, axis in described.counts.items()]
    table(("field", "axes", "unit", "type", "MB"), [(*row, size / 1e6) for *row, size in (*rows, *counted)])


def _print_sizes(store: Store) -> None:
    from atomloom.report.text.figures import figure
    from atomloom.report.text.style import Style
    from atomloom_memmap.describing import histogram

    chart = histogram(store)
    if chart is not None:
        plain = not (sys.stdout.encoding or "ascii").lower().startswith("utf")
        lines = figure(chart, Style(shutil.get_terminal_size().columns, plain))
        click.echo("\n" + "\n".join(lines))


def _print_plans(store: Store) -> None:
    from atomloom_memmap.describing import MOST_FRAMES, tried

    found = tried(store)
    if not found:
        return
    told = f", counted on {MOST_FRAMES} frames picked at random" if len(store) > MOST_FRAMES else ""
    click.echo(f"\nPlans for `PackedMemmapLoader(...).batches(...)`, and which share of the slots is empty{told}:\n")
    percent = [(each.plan, each.batches, each.shapes, f"{each.atoms:.1%}", f"{each.pairs:.1%}") for each in found]
    table(("plan", "batches", "shapes", "atoms", "pairs"), percent)
