"""Look up: one contribution by its name, or an error that says what there is instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from atomloom.errors import AmbiguousName, UnknownName
from atomloom.registry import catalogue
from atomloom.registry.contributions import SINGULAR
from atomloom.registry.records import CORE, Contribution, PluginRecord, normal

_NEAREST = 3
_CUTOFF = 0.5
_REASON = 120
"""Letters of a plugin's failure that a message about something else has room for."""


def look_up(
    kind: str, name: str, contributions: Sequence[Contribution], plugins: Sequence[PluginRecord]
) -> Contribution:
    """The contribution called `name`, or called so by one plugin as ``"plugin:name"``."""
    plugin, _, short = name.rpartition(":")
    fitting = [each for each in contributions if each.spec.name == short]
    if plugin:
        _known_plugin(kind, name, plugin, plugins)
        fitting = [each for each in fitting if normal(plugin) in (normal(each.plugin), normal(each.distribution))]
    elif kind == "commands":
        fitting = [each for each in fitting if each.plugin == CORE] or fitting
    if not fitting:
        raise unknown(kind, short, contributions, plugins)
    if len(fitting) > 1:
        raise ambiguous(kind, short, fitting)
    return fitting[0]


def unknown(
    kind: str, name: str, contributions: Iterable[Contribution], plugins: Sequence[PluginRecord]
) -> UnknownName:
    """That there is no such contribution, with the nearest names and the plugins that might have brought it."""
    found = "; ".join(["no installed plugin brings it", *out_of_order(plugins)])
    known = {called: each.spec.name for each in contributions for called in _called(each)}
    return UnknownName(f"find the {SINGULAR[kind]} {name!r}", found, " ".join(_advice(kind, name, known, plugins)))


def _called(contribution: Contribution) -> tuple[str, ...]:
    return (contribution.spec.name, *getattr(contribution.spec, "aliases", ()))


def ambiguous(kind: str, name: str, rivals: Sequence[Contribution]) -> AmbiguousName:
    """That several plugins bring one, and how to choose."""
    brought = " and ".join(each.whence for each in rivals)
    choices = " or ".join(repr(f"{each.plugin}:{name}") for each in rivals)
    loser = next((each.plugin for each in reversed(rivals) if each.plugin != CORE), rivals[-1].plugin)
    todo = f"Write {choices}, or block one with `-p no:{loser}` or ATOMLOOM_BLOCK={loser}"
    return AmbiguousName(f"choose the {SINGULAR[kind]} {name!r}", f"{brought} each bring one", todo)


def unknown_plugin(asked: str, name: str, plugins: Sequence[PluginRecord]) -> UnknownName:
    """That no plugin goes by this name, with the nearest."""
    known = {called: called for each in plugins for called in (each.name, each.distribution)}
    advice = [*_nearest(name, known), "`atomloom plugins` lists what is installed"]
    return UnknownName(asked, f"no installed plugin is called {name!r}", " ".join(advice))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names that look most like `name`, the likeliest first; case does not count."""
    from difflib import get_close_matches

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    if name.casefold() in folded:
        return [folded[name.casefold()]]
    return [folded[each] for each in get_close_matches(name.casefold(), folded, n=_NEAREST, cutoff=_CUTOFF)]


def _known_plugin(kind: str, name: str, plugin: str, plugins: Sequence[PluginRecord]) -> None:
    record = next((each for each in plugins if each.goes_by(plugin)), None)
    asked = f"find the {SINGULAR[kind]} {name!r}"
    if record is None:
        raise unknown_plugin(asked, plugin, plugins)
    if record.blocked:
        raise UnknownName(asked, f"the plugin {plugin!r} is blocked", "Leave out the `-p no:` or ATOMLOOM_BLOCK")


def out_of_order(plugins: Iterable[PluginRecord]) -> Iterator[str]:
    """The plugins that failed or are blocked, each in a clause for an error message."""
    for record in plugins:
        if record.blocked:
            yield f"the plugin {record.name} ({record.whence}) is blocked"
        elif record.problems:
            yield f"the plugin {record.name} ({record.whence}) failed: {_cut(record.reason.rstrip('.'))}"


def _cut(text: str) -> str:
    return text if len(text) <= _REASON else f"{text[:_REASON]}..."


def _advice(kind: str, name: str, known: Mapping[str, str], plugins: Iterable[PluginRecord]) -> Iterator[str]:
    yield from _nearest(name, known)
    home = catalogue.home_of(kind, name)
    if home and not any(normal(each.distribution) == normal(home) for each in plugins):
        yield f"{home} brings it: `pip install {home}`."
    failed = [each.name for each in plugins if each.problems]
    if failed:
        yield f"`atomloom plugins why {failed[0] if len(failed) == 1 else 'NAME'}` shows what is wrong there."
    yield _LISTINGS.get(kind, "`atomloom plugins` lists what is installed")


def _nearest(name: str, known: Mapping[str, str]) -> Iterator[str]:
    """Ask whether one of the nearest was meant; `known` maps what a thing is called to its name."""
    close = dict.fromkeys(known[called] for called in nearest(name, known))
    if close:
        yield f"Did you mean {' or '.join(map(repr, close))}?"


_LISTINGS = {
    "commands": "`atomloom --help` lists the commands",
    "fields": "`atomloom fields` lists the fields",
}
