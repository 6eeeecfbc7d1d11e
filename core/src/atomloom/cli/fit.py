"""``atomloom plan``, ``run`` and ``resume``: from an experiment file to a fitted run."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomloom.cli.data_options import runs_option, watched
from atomloom.cli.output import echo_json, json_option, note, table
from atomloom.cli.settings import settings
from atomloom.errors import RunError

if TYPE_CHECKING:
    from atomloom.pipeline import Job
    from atomloom.report import Report
    from atomloom.runs import Run

set_option = click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Set one key: training.num_epochs=5."
)


@click.command()
@click.argument("experiment", metavar="EXP.toml")
@set_option
@json_option
def plan(experiment: str, assignments: tuple[str, ...], json_output: bool) -> None:
    """Say how EXP.toml would be fitted, data to model, without fitting it; or why it cannot be."""
    with watched():
        job = load_job(experiment, assignments)
    from atomloom.pipeline.planning import steps

    rows = steps(job)
    if json_output:
        echo_json([step._asdict() for step in rows])
    else:
        table(("step", "what", "detail"), rows)


@click.command()
@click.argument("experiment", metavar="EXP.toml")
@click.option("--name", metavar="NAME", help="Of the run; by default that of EXP.toml.")
@runs_option
@set_option
def run(experiment: str, name: str | None, root: str, assignments: tuple[str, ...]) -> None:
    """Fit EXP.toml in a new run folder; Ctrl-C leaves a run that `atomloom resume` goes on with."""
    folder = Path(root) / checked_name(name, Path(experiment).stem)
    fit_in(folder, lambda: load_job(experiment, assignments))


@click.command()
@click.argument("run_name", metavar="RUN")
@runs_option
def resume(run_name: str, root: str) -> None:
    """Go on with RUN where it stopped, bit for bit; nothing is left to do for a finished one."""
    from atomloom.cli.search import go_on
    from atomloom.pipeline import resume as resumed
    from atomloom.runs.history import find
    from atomloom.search import SearchFolder

    if SearchFolder(Path(root) / run_name).exists or SearchFolder(Path(run_name)).exists:
        go_on(Path(root) / run_name if SearchFolder(Path(root) / run_name).exists else Path(run_name))
        return
    with watched():
        files = find(run_name, Path(root))
        try:
            fitted, report = resumed(files.path, quiet=settings().quiet)
        except KeyboardInterrupt:
            _say_how_to_resume(files.path)
            raise
    if report is None:
        note(f"'{files.name}' is finished; its report is in '{files.report}'.")
    else:
        tell(fitted, report)


def checked_name(name: str | None, default: str) -> str:
    """The name of a run, which is a single folder in the folder of runs."""
    if name is None:
        return default
    if not name or Path(name).name != name:
        raise RunError(f"start a run named {name!r}", "it is not the name of a folder", "Give a name without slashes")
    return name


def load_job(experiment: str, assignments: tuple[str, ...] = ()) -> Job:
    """The job that an experiment file describes, with the keys of ``--set`` changed."""
    from atomloom.experiment import InFile, load, overridden, override, resolved
    from atomloom.pipeline import prepare

    path = Path(experiment)
    place = InFile(experiment)
    loaded = override(load(path), assignments, place)
    return prepare(resolved(loaded, path.parent), overridden(place, assignments) if assignments else place)


def fit_in(folder: Path, make_job: Callable[[], Job]) -> None:
    """Fit a job in a new folder and say what came out; the folder's name is refused before the data is read."""
    from atomloom.pipeline import fit
    from atomloom.runs import check_free

    check_free(folder)
    with watched():
        job = make_job()
        if job.preset:
            note(f"Preset {job.preset.name}, {job.preset.reason}: {job.preset.told}.")
        for name, reason in job.off.items():
            note(f"The loss {name} is off: {reason}.")
        for warning in job.warnings:
            note(f"Warning: {warning}")
        try:
            fitted, report = fit(job, folder, quiet=settings().quiet)
        except KeyboardInterrupt:
            _say_how_to_resume(folder)
            raise
    tell(fitted, report)


def tell(fitted: Run, report: Report) -> None:
    """The key figures of a finished run, and where its report is; of several processes the first says so."""
    if not fitted.leads:
        return
    from atomloom.report import KeyFigures, quantity

    rows = [
        (part.title, figure.name, quantity(figure.value, figure.uncertainty), figure.unit, figure.note)
        for part in report.sections
        for block in part.blocks
        if isinstance(block, KeyFigures)
        for figure in block.figures
        if isinstance(figure.value, float)
    ]
    click.echo(f"{report.summary}\n")
    table(("", "measure", "value", "unit", "note"), rows)
    page = fitted.files.report / "index.html"
    note(f"The report is in '{page if page.exists() else fitted.files.report / 'report.txt'}'.")


def _say_how_to_resume(folder: Path) -> None:
    if folder.is_dir():
        note(f"\nInterrupted; `atomloom resume {shlex.quote(str(folder))}` goes on from the last epoch.")
