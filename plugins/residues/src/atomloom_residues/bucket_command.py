"""``atomloom residues bucket``: proteins of different lengths as padded files, and what the padding costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import echo_json, json_option, note, table

if TYPE_CHECKING:
    from atomloom_residues.bucket_costs import Cost

OUT = "03_bucketed_npz"
"""Where the files go unless --out names another folder."""

_BOUNDARIES = "--bucket-boundaries"


class _Command(click.Command):
    """Takes all whole numbers that follow ``--bucket-boundaries``, which click has no option for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        return super().parse_args(ctx, _gathered(args))


def _gathered(args: list[str]) -> list[str]:
    """The words of a command line with the boundaries joined by commas.

    >>> _gathered(["a.npz", "--bucket-boundaries", "100", "200", "--out", "b"])
    ['a.npz', '--bucket-boundaries', '100,200', '--out', 'b']
    """
    if _BOUNDARIES not in args:
        return args
    start = args.index(_BOUNDARIES) + 1
    stop = next((place for place in range(start, len(args)) if not args[place].isdigit()), len(args))
    return [*args[:start], *([",".join(args[start:stop])] if stop > start else []), *args[stop:]]


@click.command(cls=_Command)
@click.argument("inputs", nargs=-1, required=True, metavar="IN...")
@click.option("--out", default=OUT, show_default=True, metavar="DIR", help="The folder to make.")
@click.option(_BOUNDARIES, "given", metavar="N N ...", help="Ascending lengths, each the longest of its bucket.")
@click.option("--n-buckets", type=click.IntRange(min=1), metavar="K", help="How many buckets; 3 unless said otherwise.")
@click.option("--optimal", is_flag=True, help="Put the boundaries where padding is least, not at equal counts.")
@click.option("--no-combine", is_flag=True, help="Pad each protein into a file of its own.")
@click.option("--overwrite", is_flag=True, help="Replace DIR if it exists.")
@json_option
def bucket(
    inputs: tuple[str, ...],
    out: str,
    given: str | None,
    n_buckets: int | None,
    optimal: bool,
    no_combine: bool,
    overwrite: bool,
    json_output: bool,
) -> None:
    """Put the proteins in IN..., an NPZ or glob for each or several, into one padded NPZ for each length bucket.

    A boundary of 100 holds frames of up to 100 beads. What padding wastes is printed beside other layouts.
    """
    from atomloom.readers import expand
    from atomloom_residues.bucket_costs import costs
    from atomloom_residues.combining import boundaries, combine_and_pad_npz_bucketed, lengths_of, opened
    from atomloom_residues.combining import pad_individual_npz as pad

    _check({_BOUNDARIES: given, "--n-buckets": n_buckets, "--optimal": optimal, "--no-combine": no_combine})
    paths = [path for pattern in inputs for path in expand(pattern)]
    bounds = None if given is None else _numbers(given)
    with watched():
        lengths = lengths_of(opened(paths))
        if no_combine:
            files = pad(paths, out, overwrite=overwrite)
            chosen: tuple[int, ...] = (int(lengths.max()),)
        else:
            chosen = boundaries(lengths, bounds, n_buckets or 3, optimal=optimal)
            files = combine_and_pad_npz_bucketed(paths, out, chosen, overwrite=overwrite)
        found = costs(lengths, chosen)
    if json_output:
        echo_json({"files": list(map(str, files)), "costs": [cost._asdict() for cost in found]})
        return
    table(("layout", "N_max", "compilations", "beads wasted", "pairs wasted"), map(_row, found))
    note(f"{len(lengths)} frames of {len(paths)} files are in {len(files)} files in '{out}'.")


def _row(cost: Cost) -> tuple[Any, ...]:
    shares = [None if share is None else f"{100 * share:.1f} %" for share in (cost.beads, cost.pairs)]
    return (cost.layout, cost.widths, cost.compilations, *shares)


def _check(options: dict[str, Any]) -> None:
    """Stops at options that exclude each other."""
    given = [name for name, value in options.items() if value not in (None, False)]
    pairs = [
        (_BOUNDARIES, "--n-buckets"),
        (_BOUNDARIES, "--optimal"),
        *((n, "--no-combine") for n in list(options)[:3]),
    ]
    for one, other in pairs:
        if one in given and other in given:
            raise click.UsageError(f"{one} and {other} exclude each other; give one of them")


def _numbers(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.strip().isdigit() for word in words):
        raise click.UsageError(f"{_BOUNDARIES} takes whole numbers, such as 100 200, and not {text!r}")
    return tuple(map(int, words))
