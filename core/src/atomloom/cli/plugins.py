"""``atomloom plugins``: what is installed, what it brings, what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import click

from atomloom.cli.output import echo_json, json_option, table
from atomloom.registry import Contribution, PluginRecord, Registry, registry
from atomloom.registry.contributions import SINGULAR
from atomloom.registry.lookup import unknown_plugin


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(context: click.Context, json_output: bool) -> None:
    """List the installed plugins, what they bring and what failed."""
    if context.invoked_subcommand is not None:
        return
    known = registry()
    if json_output:
        echo_json({"plugins": [_described(known, each) for each in known.plugins], "conflicts": _conflicts(known)})
        return
    columns = ("plugin", "distribution", "version", "status", "brings", "import")
    table(columns, [_row(known, each) for each in known.plugins])
    for line in _remarks(known):
        click.echo(line)


@plugins.command()
@click.argument("name")
def why(name: str) -> None:
    """Say why a plugin failed, with the traceback."""
    known = registry()
    record = _record(known, name)
    if record.blocked:
        click.echo(f"{record.name} ({record.whence}) is blocked by -p no: or ATOMLOOM_BLOCK.")
    elif not record.problems:
        click.echo(f"{record.name} ({record.whence}) works: it brings {_summary(known.brought_by(record.name))}.")
    else:
        click.echo(f"{record.name} ({record.whence}), {record.reference}:")
    for problem in record.problems:
        click.echo(f"\n{problem.reason}")
        if problem.traceback:
            click.echo(f"\n{problem.traceback.rstrip()}")


@plugins.command()
@click.argument("distribution")
@json_option
@click.pass_context
def check(context: click.Context, distribution: str, json_output: bool) -> None:
    """Check that a DISTRIBUTION, or a plugin of this name, does what it promises; exit code 1 if it does not."""
    from atomloom.cli.checking import check_distribution

    context.exit(check_distribution(distribution, json_output))


def _record(known: Registry, name: str) -> PluginRecord:
    record = next((each for each in known.plugins if each.goes_by(name)), None)
    if record is None:
        raise unknown_plugin(f"tell about the plugin {name!r}", name, known.plugins)
    return record


def _row(known: Registry, record: PluginRecord) -> tuple[str, ...]:
    brings = _summary(known.brought_by(record.name)) if record.plugin is not None else ""
    seconds = "" if record.blocked else f"{record.seconds:.2f} s" + (" (slow)" if record.slow else "")
    return record.name, record.distribution, record.version, record.status, brings, seconds


def _summary(brought: tuple[Contribution, ...]) -> str:
    """Such as "2 readers, 1 loss"."""
    counts = Counter(each.kind for each in brought)
    return ", ".join(f"{n} {kind if n > 1 else SINGULAR[kind]}" for kind, n in counts.items()) or "nothing"


def _remarks(known: Registry) -> list[str]:
    failed = [f"{each.name} failed: {problem.reason}" for each in known.plugins for problem in each.problems]
    slow = [f"{each.name} is slow: every command waits for its import" for each in known.plugins if each.slow]
    conflicts = [f"conflict: {each.message}" for each in known.conflicts]
    hint = ["`atomloom plugins why NAME` shows the traceback."] if failed else []
    lines = [*failed, *slow, *conflicts, *hint]
    return ["", *lines] if lines else []


def _conflicts(known: Registry) -> list[Mapping[str, Any]]:
    return [each._asdict() for each in known.conflicts]


def _described(known: Registry, record: PluginRecord) -> Mapping[str, Any]:
    brings: dict[str, list[str]] = {}
    for each in known.brought_by(record.name):
        brings.setdefault(each.kind, []).append(each.spec.name)
    return {
        "plugin": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "entry_point": record.reference,
        "status": record.status,
        "seconds": record.seconds,
        "slow": record.slow,
        "problems": [problem.reason for problem in record.problems],
        "brings": brings,
    }
