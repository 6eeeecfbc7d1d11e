"""Which checks a distribution is in for: read from what it registers, before any of its code runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importlib_metadata import PackageNotFoundError, distribution

from atomloom.errors import InputError
from atomloom.registry import Contribution, PluginRecord, Registry
from atomloom.registry.contributions import SINGULAR
from atomloom.registry.lookup import unknown_plugin
from atomloom.testing.check import PLUGIN, Check, waiver
from atomloom.testing.checks import checks_of


@dataclass(frozen=True)
class Planned:
    """A check of a plugin or of one of its contributions."""

    check: Check
    record: PluginRecord
    contribution: Contribution | None = None

    @property
    def of(self) -> str:
        """What is checked, such as "reader lines"."""
        if self.contribution is None:
            return f"{PLUGIN} {self.record.name}"
        return f"{SINGULAR[self.contribution.kind]} {self.contribution.spec.name}"

    @property
    def key(self) -> str:
        """A name for it that is unique within a distribution."""
        return f"{self.of}/{self.check.name}".replace(" ", "/")

    @property
    def waiver(self) -> str:
        """The reason why it is not run, or an empty string."""
        return waiver(self.check, self.contribution.spec if self.contribution else None)


def plan(known: Registry, name: str) -> list[Planned]:
    """The checks of a distribution, or of a plugin of this name.

    Raises:
        UnknownName: nothing of this name is installed; the message has the nearest names.
        InputError: it is there and has nothing that could be checked.
    """
    records = [record for record in known.plugins if record.goes_by(name)]
    if not records:
        raise _absent(known, name)
    for record in records:
        _refuse_what_is_blocked(record, name)
    planned = [one for record in records for one in _of_plugin(known, record)]
    if not any(_has_something(known, record) for record in records):
        found = f"the plugin {records[0].name} ({records[0].whence}) registers nothing"
        todo = "Give it a hook that returns specs; `atomloom hooks` shows what there is"
        raise InputError(f"check {name!r}", found, todo)
    return planned


def _of_plugin(known: Registry, record: PluginRecord) -> Iterator[Planned]:
    for check in checks_of(PLUGIN, record):
        yield Planned(check, record)
    for contribution in known.brought_by(record.name):
        for check in checks_of(contribution.kind, contribution.spec):
            yield Planned(check, record, contribution)


def _has_something(known: Registry, record: PluginRecord) -> bool:
    implemented = any(each.plugin == record.name for each in known.implementations)
    return bool(record.problems) or implemented


def _refuse_what_is_blocked(record: PluginRecord, name: str) -> None:
    if record.blocked:
        found = f"the plugin {record.name} ({record.whence}) is blocked"
        raise InputError(f"check {name!r}", found, "Leave out the `-p no:` or ATOMLOOM_BLOCK")


def _absent(known: Registry, name: str) -> InputError:
    try:
        version = distribution(name).version
    except (PackageNotFoundError, ValueError):
        return unknown_plugin(f"check {name!r}", name, known.plugins)
    found = f"{name} {version} is installed and names no plugin"
    todo = "Give it an entry point in the group 'atomloom', as `atomloom hooks` shows, and install it again"
    return InputError(f"check {name!r}", found, todo)
