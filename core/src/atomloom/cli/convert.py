"""``atomloom convert``: any reader to any writer."""

from __future__ import annotations

from typing import Any

import click

from atomloom.cli.data_options import DataOptions, data_options, read_data, watched
from atomloom.cli.output import note


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@click.argument("target", metavar="DST")
@data_options
@click.option("--to", "writer", default="", metavar="WRITER", help="Writer to use; else the name of DST tells.")
@click.option("--where", default="", metavar="CONDITION", help='Keep only such frames: "N <= 20 and E < -10.5".')
@click.option(
    "--take", "picked", default="", metavar="FRAMES", help="Keep these frames, in this order: 0:1000:10 or 3,5,9."
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="COUNT", help="Keep so many frames at random, in their order."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of --sample.")
@click.option("--overwrite", is_flag=True, help="Replace DST if it exists.")
def convert(
    sources: tuple[str, ...],
    target: str,
    writer: str,
    where: str,
    picked: str,
    sample: int | None,
    seed: int,
    overwrite: bool,
    **options: Any,
) -> None:
    """Read SRC..., harmonise it, and write it to DST, block by block.

    --where comes first, then --take, then --sample. Names and hashes of SRC... are kept where DST has room for such.
    """
    from atomloom.data.selecting import Selection
    from atomloom.runs import origin
    from atomloom.writers import check_target, write

    check_target(target, writer=writer, overwrite=overwrite)
    with watched():
        read = read_data(sources, DataOptions(**options))
        dataset = Selection(where, picked, sample, seed).of(read.dataset)
        dataset = dataset.with_meta(converted_from=[origin(path) for path in read.files])
        write(dataset, target, writer=writer, overwrite=overwrite)
    note(f"{len(dataset)} frames with {', '.join(dataset.columns)} are in '{target}'.")
