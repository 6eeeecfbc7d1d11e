"""``atomloom search EXP.toml``: many runs of one experiment with other options, of which the best is kept."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomloom.cli.data_options import runs_option, watched
from atomloom.cli.fit import checked_name, set_option
from atomloom.cli.output import note, table

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from atomloom.search import Found

_SHOWN = 10


@click.command()
@click.argument("experiment", metavar="EXP.toml")
@click.option("--name", metavar="NAME", help="Of the search; by default that of EXP.toml.")
@runs_option
@set_option
def search(experiment: str, name: str | None, root: str, assignments: tuple[str, ...]) -> None:
    """Try the options in the [search] of EXP.toml, each set in a run; the same command goes on after Ctrl-C."""
    from atomloom.experiment import InFile, load, overridden, override, resolved
    from atomloom.search import search as searched

    path = Path(experiment)
    folder, place = Path(root) / checked_name(name, path.stem), InFile(experiment)
    loaded = resolved(override(load(path), assignments, place), path.parent)
    where = overridden(place, assignments) if assignments else place
    with watched():
        try:
            found = searched(loaded, folder, where, _tell_trial)
        except KeyboardInterrupt:
            _say_how_to_resume(folder)
            raise
    _tell(found)


def go_on(folder: Path) -> None:
    """Go on with the search in a folder."""
    from atomloom.search import resume

    with watched():
        try:
            found = resume(folder, _tell_trial)
        except KeyboardInterrupt:
            _say_how_to_resume(folder)
            raise
    _tell(found)


def _tell_trial(trial: FrozenTrial) -> None:
    value = "" if trial.value is None or trial.state.name != "COMPLETE" else f", {trial.value:.6g}"
    reason = f": {trial.user_attrs['reason']}" if "reason" in trial.user_attrs else ""
    options = ", ".join(
        f"{key} = {value:.4g}" if isinstance(value, float) else f"{key} = {value}"
        for key, value in trial.params.items()
    )
    note(f"Trial {trial.number} ({options}) {trial.state.name.lower()}{value}{reason}")


def _tell(found: Found) -> None:
    """The best trials, and where everything is."""
    from atomloom.experiment import load

    chosen = load(found.folder.config).search
    assert chosen is not None, "it has just been searched"
    sign = 1 if chosen.direction == "minimize" else -1
    done = [trial for trial in found.trials if trial.state.name == "COMPLETE" and trial.value is not None]
    ranked = sorted(done, key=lambda trial: sign * (trial.value or 0.0))[:_SHOWN]
    click.echo(f"{found.report.summary}\n")
    keys = list(chosen.space)
    rows = [(trial.number, trial.value, *(trial.params.get(key) for key in keys)) for trial in ranked]
    table(("trial", chosen.metric, *keys), rows)
    page = found.folder.report / "index.html"
    note(f"The report is in '{page if page.exists() else found.folder.report / 'report.txt'}'.")
    note(f"The best options run again with `atomloom run {shlex.quote(str(found.folder.best))}`.")


def _say_how_to_resume(folder: Path) -> None:
    if folder.is_dir():
        note(f"\nInterrupted; `atomloom resume {shlex.quote(str(folder))}` goes on with the trial that was cut short.")
