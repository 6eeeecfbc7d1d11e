"""``atomloom demo``: a complete small job of every installed plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import json_option, note, table
from atomloom.errors import AtomloomError
from atomloom.registry import registry

if TYPE_CHECKING:
    from atomloom.registry import Contribution


@click.command()
@click.argument("name", required=False)
@click.option("--out", default="atomloom-demo", show_default=True, metavar="FOLDER", help="Where the demos work.")
@click.option("--list", "listed", is_flag=True, help="Only list the demos.")
@json_option
def demo(name: str | None, out: str, listed: bool, json_output: bool) -> None:
    """Run the demo NAME, or those of all installed plugins, each with its data, its run and its report."""
    chosen = [registry().get("demos", name)] if name else list(registry().all("demos"))
    if listed:
        table(("demo", "plugin", "summary"), [(d.spec.name, d.plugin, d.spec.summary) for d in chosen], json_output)
        return
    reports, failures = [], []
    with watched():
        for found in chosen:
            note(f"{found.spec.name}: {found.spec.summary} ...")
            try:
                reports.append((found.spec.name, *_run(found, Path(out))))
            except AtomloomError as error:
                failures.append(error)
                note(f"{found.spec.name} failed: {error}")
    if reports:
        table(("demo", "result", "report"), reports, json_output)
    if failures:
        raise failures[0]


def _run(found: Contribution, out: Path) -> tuple[str, str]:
    """Run one demo in a fresh folder; its summary, and where its report is."""
    from atomloom.registry import resolve
    from atomloom.report import save
    from atomloom.runs import next_free

    folder = next_free(out / found.spec.name)
    folder.mkdir(parents=True)
    report = resolve(found.spec.load)(folder)
    paths = save(report, folder)
    page = next((path for path in paths if path.suffix == ".html"), None)
    text = next(path for path in paths if path.suffix == ".txt")
    return report.summary, str(page or text)
