"""``atomloom cite``: what to cite for a run."""

from __future__ import annotations

from pathlib import Path

import click

from atomloom.cli.output import echo_json, json_option


@click.command()
@click.argument("run")
@click.option("--runs", "root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="The folder that holds the runs.")  # fmt: skip
@click.option("--style", type=click.Choice(["bibtex", "text"]), default="bibtex", show_default=True,
              help="BibTeX, or a list of references for people.")  # fmt: skip
@json_option
def cite(run: str, root: Path, style: str, json_output: bool) -> None:
    """Print the literature to cite for a RUN: atomloom's and that of all it used."""
    from atomloom.runs.cite import bibliography, entries
    from atomloom.runs.history import find

    provenance = find(run, root).read_provenance()
    if json_output:
        found = [{"key": one.key, "kind": one.kind, **one.fields, "text": one.as_text()} for one in entries(provenance)]
        echo_json(found)
    else:
        click.echo(bibliography(provenance, style), nl=False)
