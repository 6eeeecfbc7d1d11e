"""``atomloom residues ema``: one set of parameters from the checkpoints of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import echo_json, json_option, note, table

if TYPE_CHECKING:
    from atomloom_residues.recipe import Averaged


@click.command()
@click.option("--checkpoint-dir", "folder", required=True, metavar="DIR", help="A run, or a folder of checkpoints.")
@click.option("--output", required=True, metavar="FILE", help="A .safetensors, or a .pkl of plain dicts of arrays.")
@click.option("--profile", type=click.Choice(["power", "uniform"]), help="How the average lies over the training.")
@click.option("--sigma-rel", type=float, metavar="S", help="Width of the power profile, as a share of the training.")
@click.option("--last", type=click.IntRange(min=1), metavar="K", help="The plain mean of the last K files.")
@click.option("--decay", type=float, metavar="D", help="Of a moving average; needs --per.")
@click.option("--per", type=click.Choice(["step", "checkpoint"]), help="What the decay is for.")
@click.option("--steps-per-epoch", type=click.IntRange(min=1), metavar="N", help="Where files count epochs.")
@click.option("--legacy", is_flag=True, help="With --decay: ema = D ema + (1 - D) file, from the first file on.")
@click.option("--soup", is_flag=True, help="The files that together do best on validation data.")
@click.option("--validate", metavar="EXP.toml", help="The experiment whose validation part judges; implies --soup.")
@click.option("--entry", default="", metavar="KEY/KEY", help="Where in each file the parameters are.")
@click.option("--stage", default="", metavar="TEXT", help="A part of the names of the files to take.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@json_option
def ema(
    folder: str,
    output: str,
    soup: bool,
    validate: str | None,
    entry: str,
    stage: str,
    overwrite: bool,
    json_output: bool,
    **options: Any,
) -> None:
    """Average the checkpoints in DIR into FILE, and say with which weights.

    Without a choice it is the power profile of relative width 0.15, or with --validate the soup.
    """
    from atomloom.errors import ConfigError
    from atomloom_residues.choosing import Request
    from atomloom_residues.recipe import Recipe, averaged
    from atomloom_residues.tree_writing import check_output, write_tree

    request = Request(**options)
    named = request != Request()
    if soup and not validate:
        raise ConfigError("cook a soup", "nothing says what it is judged by", "Give the experiment with --validate")
    if soup and named:
        raise ConfigError("cook a soup", "another average is asked for too", "Give --soup or the other alone")
    target = Path(output)
    check_output(target, overwrite=overwrite)
    with watched():
        made = averaged(Recipe(folder, request, entry, stage, validate, soup=soup or bool(validate and not named)))
    write_tree(made.tree, target, made.provenance(), made.epoch)
    if not (named or validate):
        note("No average was named, so this is the power profile; --profile, --last, --decay or --soup choose another.")
    _tell(made, target, json_output)


def _tell(made: Averaged, target: Path, json_output: bool) -> None:
    if json_output:
        echo_json(made.provenance())
        return
    for path, reason in made.series.excluded:
        note(f"{path.name} is left out: {reason}.")
    if made.series.note:
        note(f"{made.series.note[:1].upper()}{made.series.note[1:]}.")
    counted = "number" if made.series.unit == "file" else made.series.unit
    heads = ("file", counted, "weight", *(("loss",) if made.scores is not None else ()))
    table(heads, made.rows())
    spread = made.chosen.spread
    told = f"{made.chosen.rule}: effective number {spread.effective:.2f}, oldest weight {spread.oldest:.2g}"
    judged = "" if made.score is None else f", loss {made.score:.6g}"
    click.echo(f"{told}{judged}. The average is in '{target}'.")
