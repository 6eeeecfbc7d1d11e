"""What ``atomloom plugins check`` prints: every check with its result, the reasons below, and the sum."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from atomloom.cli.output import echo_json, note, table
from atomloom.progress import track
from atomloom.registry import registry
from atomloom.testing.check import Result
from atomloom.testing.isolating import run_isolated
from atomloom.testing.planning import Planned, plan

Checked = tuple[Planned, Result]


def check_distribution(distribution: str, json_output: bool) -> int:
    """Run the checks of a distribution and print what became of them; the exit code."""
    known = registry()
    planned = plan(known, distribution)
    blocked = [record.name for record in known.plugins if record.blocked]
    results = run_isolated(planned, blocked)
    checked = list(track(results, total=len(planned), label=f"checking {distribution}"))
    failed = any(result.outcome == "failed" for _, result in checked)
    if json_output:
        echo_json(_described(distribution, checked))
    else:
        _print(checked)
    return 1 if failed else 0


def _print(checked: list[Checked]) -> None:
    rows = [(each.of, each.check.name, result.outcome, f"{result.seconds:.2f} s") for each, result in checked]
    table(("what", "check", "result", "time"), rows)
    for each, result in checked:
        if result.outcome == "waived":
            click.echo(f"\nwaived: {each.of}, {each.check.name}: {result.said}")
    for each, result in checked:
        if result.outcome == "failed":
            click.echo(f"\nfailed: {each.of}, {each.check.name}: {result.said}\n  promise: {each.check.promise}")
            if result.traceback:
                click.echo(_indented(result.traceback))
    counts = Counter(result.outcome for _, result in checked)
    click.echo("\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "waived")))
    if counts["failed"]:
        note("What a check does, and how to waive one, is under 'Conformance' in the documentation.")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())


def _described(distribution: str, checked: list[Checked]) -> dict[str, Any]:
    counts = Counter(result.outcome for _, result in checked)
    checks = [
        {
            "what": each.of,
            "check": each.check.name,
            "promise": each.check.promise,
            "result": result.outcome,
            "said": result.said,
            "seconds": result.seconds,
        }
        for each, result in checked
    ]
    sums = {outcome: counts[outcome] for outcome in ("passed", "failed", "waived")}
    return {"distribution": distribution, **sums, "checks": checks}
