"""The commands ``atomloom memmap ...``."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import click

from atomloom.cli.data_options import DataOptions, data_options, watched
from atomloom.cli.output import echo_json, json_option, note, table
from atomloom_memmap.edge_commands import edges, prune


@click.group()
def memmap() -> None:
    """Packed memory-mapped stores: convert to them, look into them, check them, keep pairs in them."""


memmap.add_command(edges)
memmap.add_command(prune)


@memmap.command()
@click.argument("more", nargs=-1, metavar="[SRC]...")
@click.option("-i", "--input", "inputs", multiple=True, metavar="SRC", help="What to read; repeatable, or a glob.")
@click.option("-o", "--output", "target", required=True, metavar="STORE", help="The store to write.")
@data_options
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that work side by side."
)
@click.option("--shard-mib", type=click.IntRange(min=1), default=2048, show_default=True, help="MiB of a shard.")
@click.option("--append", is_flag=True, help="Add the frames to STORE, which is there already.")
@click.option("--overwrite", is_flag=True, help="Replace STORE if it exists.")
def convert(
    more: tuple[str, ...],
    inputs: tuple[str, ...],
    target: str,
    workers: int,
    shard_mib: int,
    append: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Read every SRC, harmonise it, and pack it into STORE.

    STORE appears when it is whole. After Ctrl-C or a crash the same command goes on where it stopped.
    """
    from atomloom_memmap.converting import Conversion
    from atomloom_memmap.converting import convert as run
    from atomloom_memmap.store import Store

    if not (inputs or more):
        raise click.UsageError("there is nothing to read; name it with -i SRC")
    if append and overwrite:
        raise click.UsageError("--append keeps STORE and --overwrite replaces it; give one of them")
    _check_target(target, append=append, overwrite=overwrite)
    data = DataOptions(**options)
    conversion = Conversion(
        paths=(*inputs, *more),
        target=Path(target),
        reader=data.reader,
        options=data.reader_options,
        choices=data.choices,
        adding=append,
        workers=workers,
        shard_mib=shard_mib,
    )
    try:
        with watched():
            findings = run(conversion)
    except KeyboardInterrupt:
        note("stopped; the same command goes on where it stopped.")
        raise
    for finding in findings:
        if finding.level == "warning":
            note(f"{finding.field}: {finding.note}")
    store = Store(target)
    size = sum(path.stat().st_size for path in Path(target).rglob("*") if path.is_file())
    share = size / max(store.manifest.payload, 1)
    names = ", ".join((*store.manifest.fields, *store.manifest.counts))
    click.echo(f"'{target}' holds {len(store)} frames with {names}: {size / 1e6:.4g} MB, {share:.3f} times the values.")


@memmap.command()
@click.argument("store")
@json_option
@click.pass_context
def verify(context: click.Context, store: str, json_output: bool) -> None:
    """Read every byte of STORE and compare it with the checksums; exit 1 where something is damaged."""
    from atomloom_memmap.store import Store

    began = perf_counter()
    with watched():
        opened = Store(store)
        damages = opened.verify()
    if json_output:
        echo_json([each._asdict() for each in damages])
    elif damages:
        table(("shard", "file", "field", "what is damaged"), damages)
    else:
        size = sum(path.stat().st_size for path in Path(store).rglob("*") if path.is_file())
        speed = size / max(perf_counter() - began, 1e-9)
        click.echo(f"'{store}' is whole: {len(opened)} frames, {size / 1e6:.4g} MB read at {speed / 1e9:.2g} GB/s.")
    context.exit(1 if damages else 0)


@memmap.command()
@click.argument("store")
@json_option
def info(store: str, json_output: bool) -> None:
    """What STORE holds, how large its frames are, and what plans of batches would make of them."""
    from atomloom.report import to_text
    from atomloom_memmap.describing import facts, report_on
    from atomloom_memmap.store import Store

    with watched():
        opened = Store(store)
        if json_output:
            echo_json(facts(opened))
        else:
            click.echo(to_text(report_on(opened)))


def _check_target(target: str, *, append: bool, overwrite: bool) -> None:
    """Stops before any work where STORE cannot be written, or is not there to be added to."""
    from atomloom.errors import TargetError
    from atomloom.writers import check_target

    if not append:
        check_target(target, writer="memmap", overwrite=overwrite)
    elif not Path(target).exists():
        raise TargetError(f"add to the store '{target}'", "there is none", "Leave out --append to make one")
