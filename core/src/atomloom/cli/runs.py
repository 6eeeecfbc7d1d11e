"""``atomloom runs``: what was fitted, how it went, and how fits compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.output import echo_json, json_option, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from atomloom.runs.history import Summary

_PORT = 8765


def _root_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--runs", "root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
        help="The folder that holds the runs.",
    )(command)  # fmt: skip


@click.group()
def runs() -> None:
    """History of fits: list, show, compare, watch, rm."""


@runs.command("list")
@_root_option
@json_option
def list_(root: Path, json_output: bool) -> None:
    """List all runs, the latest first."""
    from atomloom.runs.history import list_runs

    found = list_runs(root)
    if json_output:
        echo_json([one.as_dict() for one in found])
    elif found:
        _print_list(found)
    else:
        click.echo(f"There are no runs in '{root}' yet; `atomloom run EXP.toml` makes one.")


@runs.command()
@click.argument("run")
@_root_option
@json_option
def show(run: str, root: Path, json_output: bool) -> None:
    """Show one RUN: its state, metrics, options and origin."""
    from atomloom.runs.ensembles import members
    from atomloom.runs.history import find, summarize

    files = find(run, root)
    summary, parts = summarize(files), [summarize(member) for member in members(files)]
    config, provenance = files.read_config(), files.read_provenance()
    if json_output:
        told = {"member_runs": [part.as_dict() for part in parts]} if parts else {}
        echo_json({**summary.as_dict(), **told, "config": config, "provenance": provenance})
    else:
        _print_summary(summary)
        _print_members(parts)
        _print_options(config)
        _print_sessions(provenance["sessions"])


@runs.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@_root_option
@json_option
def compare(names: tuple[str, ...], root: Path, json_output: bool) -> None:
    """Show several RUNs side by side: options that differ, last and best metrics."""
    from atomloom.runs.history import compare as side_by_side
    from atomloom.runs.history import find

    found = [find(name, root) for name in names]
    labels = [files.name for files in found]
    differences = side_by_side(found)
    if json_output:
        echo_json({"runs": labels, **differences})
        return
    _print_rows("Options that differ", "option", labels, differences["config"])
    _print_rows("Metrics of the last epoch", "metric", labels, differences["final"])
    _print_rows("Metrics of the best epoch", "metric", labels, differences["best"])


@runs.command()
@click.argument("run", required=False)
@_root_option
@click.option("--port", type=click.IntRange(0, 65535), help=f"Port; {_PORT} or any free one by default.")
@click.option("--browser", is_flag=True, help="Open the page in the browser.")
@json_option
def watch(run: str | None, root: Path, port: int | None, browser: bool, json_output: bool) -> None:
    """Serve a live page with the learning curves, to this machine only, until Ctrl-C.

    Without RUN the page opens with the run that was started last.
    """
    from atomloom.runs.history import find, list_runs

    if run is not None:
        files = find(run, root)
        root, run = files.path.resolve().parent, files.name
    else:
        list_runs(root)  # a wrong folder is told now rather than on the page
    with _server(root, port) as server:
        url = server.url + (f"#{_quoted(run)}" if run else "")
        try:
            if json_output:
                echo_json({"url": url})
            else:
                click.echo(f"The live page is at {url} (Ctrl-C ends it).")
            if browser:
                click.launch(url)
            server.serve_forever()
        except KeyboardInterrupt:  # the ordinary end of this command
            click.echo("", err=True)


@runs.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@_root_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def rm(names: tuple[str, ...], root: Path, yes: bool, json_output: bool) -> None:
    """Delete RUNs with everything in their folders."""
    from atomloom.runs.history import find, remove

    found = list({files.path.resolve(): files for files in (find(name, root) for name in names)}.values())
    listed = ", ".join(f"'{files.path}'" for files in found)
    if not yes:
        click.confirm(f"Delete {listed} for good?", abort=True, err=True)
    for files in found:
        remove(files)
    if json_output:
        echo_json({"deleted": [str(files.path) for files in found]})
    else:
        click.echo(f"Deleted {listed}.")


def _server(root: Path, port: int | None) -> Any:
    from atomloom.errors import TargetError
    from atomloom.runs.watch import WatchServer

    if port is not None:
        return WatchServer(root, port)
    try:
        return WatchServer(root, _PORT)
    except TargetError:
        return WatchServer(root, 0)


def _print_list(found: Sequence[Summary]) -> None:
    columns = ("run", "status", "model", "epochs", "of", "best at", "time", "started (UTC)")
    rows = [
        (
            one.name, one.status, _model(one), one.epochs, one.total or None, one.best_epoch or None,
            duration(one.seconds), _day_and_time(one.started),
        )
        for one in found
    ]  # fmt: skip
    table(columns, rows)
    for one in found:
        if one.reason:
            click.echo(f"{one.name}: {one.reason}")


def _print_summary(one: Summary) -> None:
    left = f", about {duration(one.seconds_left)} left" if one.seconds_left is not None else ""
    facts = {
        "status": one.status,
        "reason": one.reason,
        "model": _model(one),
        "epochs": f"{one.epochs} of {one.total or '?'}",
        "time": duration(one.seconds) + left,
        "started (UTC)": _day_and_time(one.started),
        "folder": one.path,
    }
    table(("run", one.name), [(name, value) for name, value in facts.items() if value])
    last = "last, mean of the members" if one.members else f"last, epoch {one.epochs}"
    best = f"best, epoch {one.best_epoch}" if one.best_epoch else "best"
    values = {name: [value, one.best.get(name)] for name, value in one.final.items()}
    _print_rows("Metrics", "metric", [last, best], values)


def _model(one: Summary) -> str:
    """The model, and of an ensemble how many there are of it."""
    return f"{one.model} ({one.members} members)" if one.members else one.model


def _print_members(found: Sequence[Summary]) -> None:
    if found:
        click.secho("\nMembers", bold=True)
        _print_list(found)


def _print_options(config: dict[str, Any]) -> None:
    from atomloom.runs.history import flat

    _print_rows("Options", "option", ["value"], {name: [str(value)] for name, value in flat(config).items()})


def _print_sessions(sessions: list[dict[str, Any]]) -> None:
    rows = [
        (_day_and_time(one.get("started")), one.get("outcome") or "-", one.get("command_line", "")) for one in sessions
    ]
    if rows:
        click.secho("\nSessions", bold=True)
        table(("started (UTC)", "outcome", "command"), rows)


def _print_rows(title: str, name: str, labels: Sequence[str], rows: Mapping[str, Sequence[Any]]) -> None:
    if rows:
        click.secho(f"\n{title}", bold=True)
        table((name, *labels), [(key, *values) for key, values in rows.items()])


def _day_and_time(stamp: Any) -> str:
    return str(stamp or "")[:19].replace("T", " ")


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def duration(seconds: float) -> str:
    """Seconds in words of at most two units.

    >>> duration(59.4), duration(3725), duration(200000)
    ('59 s', '1 h 2 min', '2 d 7 h')
    """
    whole = round(seconds)
    for unit, below, size, small in (("d", "h", 86400, 3600), ("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // small} {below}"
    return f"{whole} s" if seconds >= 1 or not seconds else f"{seconds:.1g} s"
