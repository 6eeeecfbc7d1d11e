"""``atomloom memmap edges`` and ``prune``: pairs that a store keeps, and what is left of those that were replaced."""

from __future__ import annotations

from pathlib import Path

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import note


@click.command()
@click.argument("store")
@click.option("--cutoff", type=float, required=True, metavar="ANGSTROM", help="Keep the pairs nearer than this.")
@click.option("--replace", is_flag=True, help="Replace pairs within another cutoff.")
def edges(store: str, cutoff: float, replace: bool) -> None:
    """Find the pairs of atoms within a cutoff once and keep them in STORE, where loaders then read them.

    Frames that are added later get theirs too. Replaced pairs stay on the disk for those who have STORE open, until
    `atomloom memmap prune STORE`.
    """
    from atomloom_memmap.edge_writing import cache_edges
    from atomloom_memmap.manifest import load

    with watched():
        written = cache_edges(store, cutoff, replace=replace)
    axis = load(Path(store)).axes["pair"]
    verb = "keeps" if written else "kept already"
    note(f"'{store}' {verb} {axis.rows} pairs within {cutoff:g} angstrom, {axis.longest} of one frame at the most.")


@click.command()
@click.argument("store")
def prune(store: str) -> None:
    """Remove from STORE what it does not name any more: replaced pairs, and what was left by killed additions.

    Processes that opened STORE before may still need it.
    """
    from atomloom_memmap.pruning import prune as remove

    removed = remove(store)
    note(f"removed {removed.folders} folders of {removed.bytes / 1e6:.3g} MB from '{store}'.")
