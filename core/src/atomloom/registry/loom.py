"""`Registry`: find, load, classify, settle, and then answer questions."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from atomloom.errors import ConfigError
from atomloom.registry.conflicts import settle
from atomloom.registry.contributions import KINDS, contributions
from atomloom.registry.find import find
from atomloom.registry.implementations import Implementation, Manager, implementations
from atomloom.registry.load import attempt, load
from atomloom.registry.records import CORE, Contribution, Found, PluginRecord, Problem, normal
from atomloom.registry.sniff import Suggestion, sniff

if TYPE_CHECKING:
    from atomloom.registry.observers import Observers


class _Classified(NamedTuple):
    record: PluginRecord
    implementations: tuple[Implementation, ...]
    contributions: tuple[Contribution, ...]


class Registry:
    """What the installed plugins contribute.

    Args:
        found: the plugins; those of the installed distributions unless given.
        blocked: names of plugins or distributions that are not loaded.

    >>> from types import SimpleNamespace
    >>> from atomloom.registry import Found, Registry
    >>> Registry(found=[Found("mine", target=SimpleNamespace(api=2))]).plugins[0].reason
    'it was written for api 2, and this atomloom speaks api 1'
    """

    def __init__(self, found: Iterable[Found] | None = None, *, blocked: Collection[str] = ()) -> None:
        if any(normal(name) == CORE for name in blocked):
            raise ConfigError("block the plugin 'core'", "it is atomloom itself", "Leave it out")
        manager = Manager()
        sorted_out = [_classified(manager, load(each, blocked)) for each in (find() if found is None else found)]
        self.plugins = tuple(each.record for each in sorted_out)
        self.implementations = tuple(one for each in sorted_out for one in each.implementations)
        brought = [one for each in sorted_out for one in each.contributions]
        self._contributions, self.conflicts = settle(brought)

    def get(self, kind: str, name: str) -> Contribution:
        """The contribution of this name, or of this ``"plugin:name"``.

        Raises:
            UnknownName: there is none; the message has the nearest names and the plugins that failed.
            AmbiguousName: several plugins bring one; the message says how to choose.
        """
        from atomloom.registry.lookup import look_up  # a listing needs no messages

        return look_up(kind, name, self.all(kind), self.plugins)

    def all(self, kind: str) -> tuple[Contribution, ...]:
        """All contributions of a kind, core's first; two plugins may bring the same name."""
        if kind not in KINDS:
            raise ValueError(f"there is no kind {kind!r} of contributions; the kinds are {', '.join(KINDS)}")
        return tuple(each for each in self._contributions if each.kind == kind)

    def brought_by(self, plugin: str) -> tuple[Contribution, ...]:
        """All that one plugin contributes."""
        return tuple(each for each in self._contributions if each.plugin == plugin)

    def sniff(self, path: str | os.PathLike[str], kind: str = "readers") -> tuple[Suggestion, ...]:
        """The readers (or writers) that may fit a file, the likeliest first; a suggestion, never a choice."""
        return sniff(path, self.all(kind))

    def observers(self) -> Observers:
        """The plugins that watch runs; made anew for each run."""
        from atomloom.registry.observers import Observers

        return Observers(self.implementations)

    def whence(self, reference: str) -> str:
        """The plugin that has a spec with this ``"module:attribute"``, or an empty string."""
        fitting = (each.whence for each in self._contributions if reference in map(str, vars(each.spec).values()))
        return next(fitting, "")


def _classified(manager: Manager, record: PluginRecord) -> _Classified:
    registered, odd = attempt(lambda: implementations(manager, record))
    implemented, problems = registered or ((), (odd,) if odd else ())
    outcomes = tuple(contributions(record, implemented))
    wrong = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    brought = tuple(outcome for outcome in outcomes if isinstance(outcome, Contribution))
    return _Classified(record._replace(problems=(*record.problems, *problems, *wrong)), implemented, brought)
