"""Classify: call the registration hooks of a plugin and check the specs that come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from atomloom import specs
from atomloom.registry.checks import complaints
from atomloom.registry.implementations import Implementation
from atomloom.registry.load import attempt
from atomloom.registry.records import Contribution, PluginRecord, Problem, named

KINDS: Mapping[str, type[specs.Spec]] = {
    "fields": specs.Field,
    "readers": specs.ReaderSpec,
    "writers": specs.WriterSpec,
    "harmonizers": specs.HarmonizerSpec,
    "models": specs.ModelSpec,
    "losses": specs.LossSpec,
    "postprocessors": specs.PostSpec,
    "backends": specs.BackendSpec,
    "commands": specs.CommandSpec,
    "demos": specs.DemoSpec,
    "renderers": specs.RendererSpec,
}
"""The kinds of contributions with their specs; the hook of a kind is ``atomloom_KIND``."""

SINGULAR = {kind: kind.removesuffix("s") for kind in KINDS} | {
    "losses": "loss",
    "postprocessors": "post-processor",
}
"""A kind in the singular, as messages say it."""

Outcome = Contribution | Problem


def contributions(record: PluginRecord, implemented: Iterable[Implementation]) -> Iterator[Outcome]:
    """What a plugin contributes, and what is wrong with the rest of it."""
    for each in implemented:
        kind = each.hook.partition("_")[2]
        if kind in KINDS:
            yield from _of_kind(record, kind, each)


def _of_kind(record: PluginRecord, kind: str, implementation: Implementation) -> Iterator[Outcome]:
    returned, problem = attempt(lambda: _listed(implementation(), KINDS[kind]), implementation.hook)
    if problem is not None:
        yield problem
    seen: set[str] = set()
    for spec in returned or ():
        complaint, problem = attempt(partial(_complaint, spec, KINDS[kind], seen), implementation.hook)
        if complaint or problem:
            yield problem or Problem(f"{implementation.hook}: {complaint}", hook=implementation.hook)
        else:
            seen.add(spec.name)
            yield Contribution(kind, spec, record.name, record.distribution, record.version)


def _listed(returned: Any, kind: type[specs.Spec]) -> list[Any]:
    if isinstance(returned, kind):
        raise TypeError(f"it returned one {kind.__name__}; return a list of them")
    if returned is None or isinstance(returned, str) or not hasattr(returned, "__iter__"):
        what = returned if returned is None else f"a {type(returned).__name__}"
        raise TypeError(f"it returned {what}, not an iterable of {kind.__name__}")
    return list(returned)


def _complaint(spec: object, kind: type[specs.Spec], seen: set[str]) -> str:
    if not isinstance(spec, kind):
        return f"it returned a {type(spec).__name__} among what should be {kind.__name__}"
    found = next(complaints(spec), "")
    if found:
        return f"{named(spec)}: {found}"
    return f"{named(spec)}: it brings two of this name; the first counts" if spec.name in seen else ""
