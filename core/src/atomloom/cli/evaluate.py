"""``atomloom evaluate`` and ``predict``: a fitted run on other data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from atomloom.cli.data_options import DataOptions, data_options, level_option, read_data, runs_option, watched
from atomloom.cli.output import note


@click.command()
@click.argument("run_name", metavar="RUN")
@runs_option
@click.option(
    "--data", "paths", multiple=True, metavar="PATH", help="What to judge by; by default the run's test part."
)
@click.option("--mode", default="errors", show_default=True, metavar="POSTPROCESSOR", help="What to look at.")
@level_option
@click.option("--out", metavar="FOLDER", help="Where the report goes; by default RUN/analysis/POSTPROCESSOR.")
@data_options
def evaluate(
    run_name: str, root: str, paths: tuple[str, ...], mode: str, level: str | None, out: str | None, **options: Any
) -> None:
    """Judge RUN by a post-processor, and write its report; exit code 1 where what should hold does not."""
    from atomloom.data.levels import at_level
    from atomloom.errors import AtomloomError
    from atomloom.pipeline.evaluating import held_out
    from atomloom.registry import registry, resolve
    from atomloom.report import save, to_text
    from atomloom.runs import Run
    from atomloom.runs.history import find

    run = Run.open(find(run_name, Path(root)).path)
    spec = registry().get("postprocessors", mode).spec
    with watched():
        dataset = read_data(paths, DataOptions(**options)).dataset if paths else held_out(run)
        report = resolve(spec.load)(run, at_level(dataset, level) if level else dataset)
        folder = Path(out) if out else run.files.analysis / mode
        folder.mkdir(parents=True, exist_ok=True)
        save(report, folder)
    click.echo(to_text(report))
    note(f"The report is in '{folder}'.")
    if report.failures:
        asked, found = f"vouch for the run '{run.name}' by {mode!r}", "; ".join(report.failures)
        raise AtomloomError(asked, found, f"The report in '{folder}' has all numbers")


@click.command()
@click.argument("run_name", metavar="RUN")
@runs_option
@click.option("--data", "paths", multiple=True, required=True, metavar="PATH", help="What to predict for; repeatable.")
@level_option
@click.option("--out", required=True, metavar="FILE", help="Where the predictions go.")
@click.option("--to", "writer", default="", metavar="WRITER", help="Writer to use; else the name of FILE tells.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@data_options
def predict(
    run_name: str,
    root: str,
    paths: tuple[str, ...],
    level: str | None,
    out: str,
    writer: str,
    overwrite: bool,
    **options: Any,
) -> None:
    """Predict with RUN for other data, and write the predictions beside its geometries.

    Of an ensemble they are means, and beside each field its standard uncertainty, E_std beside E.
    """
    from atomloom.data.levels import at_level
    from atomloom.ensemble import loaded
    from atomloom.pipeline import predict as predicted
    from atomloom.runs import Run
    from atomloom.runs.history import find
    from atomloom.writers import check_target, write

    check_target(out, writer=writer, overwrite=overwrite)
    run = Run.open(find(run_name, Path(root)).path)
    with watched():
        dataset = read_data(paths, DataOptions(**options)).dataset
        found = predicted(loaded(run), at_level(dataset, level) if level else dataset)
        geometry = {name: dataset.columns[name] for name in ("Z", "R", "N") if name in dataset}
        fields = {name: dataset.fields[name] for name in geometry}
        write(found.with_columns(geometry, fields).with_meta(run=run.name), out, writer=writer, overwrite=overwrite)
    note(f"Predictions of {', '.join(found.columns)} for {len(dataset)} frames are in '{out}'.")
