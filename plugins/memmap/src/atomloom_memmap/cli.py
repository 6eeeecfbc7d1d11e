"""``atomloom memmap``: stores made, looked into, checked and tidied up."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from atomloom.cli.data_options import DataOptions, data_options, watched
from atomloom.cli.output import echo_json, json_option, note, table
from atomloom_memmap.edge_commands import edges, prune
from atomloom_memmap.info_command import info


@click.group()
def memmap() -> None:
    """Packed memory-mapped stores: make them, look into them, check them, keep pairs in them."""


@memmap.command()
@click.argument("more", nargs=-1, metavar="[SRC]...")
@click.option("-i", "--input", "inputs", multiple=True, metavar="SRC", help="What to read: a file, folder or glob.")
@click.option("-o", "--output", "target", required=True, metavar="STORE", help="The store to write.")
@data_options
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes side by side; as many as cores.")
@click.option("--shard-mib", type=click.IntRange(min=1), default=2048, show_default=True, help="MiB of a shard.")
@click.option("--append", is_flag=True, help="Add the frames to STORE, which is there already.")
@click.option("--overwrite", is_flag=True, help="Replace STORE if it exists.")
def convert(
    more: tuple[str, ...],
    inputs: tuple[str, ...],
    target: str,
    workers: int | None,
    shard_mib: int,
    append: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Read every SRC, harmonise it, and pack all of them into STORE, those given with -i first.

    STORE appears when it is whole. After Ctrl-C or a crash the same command goes on where it stopped.
    """
    from atomloom_memmap.converting import Conversion
    from atomloom_memmap.converting import convert as run

    if not (inputs or more):
        raise click.UsageError("there is nothing to read; name it with -i SRC")
    _check_target(target, append=append, overwrite=overwrite)
    data = DataOptions(**options)
    conversion = Conversion(
        paths=(*inputs, *more),
        target=Path(target),
        reader=data.reader,
        options=data.reader_options,
        choices=data.choices,
        adding=append,
        workers=workers or _cores(),
        shard_mib=shard_mib,
    )
    try:
        with watched():
            findings = run(conversion)
    except KeyboardInterrupt:
        note(f"'{target}' is as it was; the same command goes on with what is finished.")
        raise
    for finding in findings:
        if finding.level == "warning":
            note(f"{finding.field}: {finding.note}")
    click.echo(_told(target))


@memmap.command()
@click.argument("store")
@json_option
@click.pass_context
def verify(context: click.Context, store: str, json_output: bool) -> None:
    """Read every byte of STORE and compare it with the checksums; exit 1 where something is damaged."""
    from atomloom_memmap.store import Store

    began = perf_counter()
    with watched():
        opened = Store(store, sizes=False)
        damages = opened.verify()
    taken = max(perf_counter() - began, 1e-9)
    if json_output:
        echo_json({"bytes": opened.bytes, "seconds": taken, "damages": [each._asdict() for each in damages]})
    elif damages:
        table(("shard", "file", "field", "what is damaged"), damages)
    else:
        speed = opened.bytes / taken / 1e9
        click.echo(f"'{store}' is whole: {len(opened)} frames, {opened.bytes / 1e6:.4g} MB read at {speed:.2g} GB/s.")
    context.exit(1 if damages else 0)


for command in (info, edges, prune):
    memmap.add_command(command)


def _check_target(target: str, *, append: bool, overwrite: bool) -> None:
    """Stops before any work where STORE cannot be written, or is not there to be added to."""
    from atomloom.errors import ConfigError, TargetError
    from atomloom.writers import check_target

    if append and overwrite:
        found = "--append keeps it and --overwrite replaces it"
        raise ConfigError(f"write '{target}'", found, "Give one of them")
    if not append:
        check_target(target, writer="memmap", overwrite=overwrite)
    elif not Path(target).exists():
        raise TargetError(f"add to the store '{target}'", "there is none", "Leave out --append to make one")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _told(target: str) -> str:
    """What is in a store, in a line."""
    from atomloom_memmap import manifest
    from atomloom_memmap.describing import space_of

    described = manifest.load(Path(target))
    size = space_of(Path(target), described).used
    names = ", ".join((*described.fields, *described.counts))
    share = size / max(described.payload, 1)
    return (
        f"{described.frames} frames with {names} are in '{target}': {size / 1e6:.4g} MB, {share:.3f} times the values."
    )
