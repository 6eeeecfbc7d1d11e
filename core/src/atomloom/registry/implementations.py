"""Which hooks does a plugin implement, and which did it only mean to?

Both ways to write a plugin meet here: functions marked with ``@hookimpl``, and the overridden methods of a `Plugin`.
pluggy keeps the implementations; they are called one by one, so that one that raises does not silence the rest.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import pluggy

from atomloom import hooks
from atomloom.plugin import Plugin
from atomloom.registry.records import PluginRecord, Problem

_PREFIX = f"{hooks.PROJECT}_"
_OBVIOUSLY_MEANT = 0.6


class Implementation(NamedTuple):
    """A function of a plugin that implements a hook."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    def __call__(self, **given: Any) -> Any:
        """Call it with those of the hook's arguments that it takes."""
        return self.function(*(given[name] for name in self.arguments))


def specifications() -> dict[str, Callable[..., Any]]:
    """The hooks by name, in the order of `atomloom.hooks`: functions with a signature and documentation."""
    return {name: found for name, found in vars(hooks).items() if name.startswith(_PREFIX) and callable(found)}


class Manager(pluggy.PluginManager):
    """pluggy's manager, which also knows typed plugins and leaves out what cannot be called."""

    def __init__(self) -> None:
        super().__init__(hooks.PROJECT)
        self.add_hookspecs(hooks)
        self.specified = {name: tuple(inspect.signature(f).parameters) for name, f in specifications().items()}

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """Options of an implementation, or None where `name` is none that can be called."""
        options = self.options(plugin, name)
        usable = options is not None and not self.complaint(plugin, name, options)
        return options if usable else None

    def options(self, plugin: object, name: str) -> Mapping[str, Any] | None:
        """Pluggy's options of what may be an implementation, whether or not it can be called."""
        if isinstance(plugin, Plugin):
            return {} if name in self.specified and _overridden(plugin, name) else None
        if name.startswith("__"):
            return None
        return cast("Mapping[str, Any] | None", super().parse_hookimpl_opts(plugin, name))

    def complaint(self, plugin: object, name: str, options: Mapping[str, Any]) -> str:
        """Why an implementation cannot be used, or an empty string."""
        hook = options.get("specname") or name
        if hook not in self.specified:
            return unknown_hook(hook, self.specified)
        if options.get("wrapper") or options.get("hookwrapper"):
            return f"{hook}: wrappers are not called, since implementations are called one by one"
        extra = [each for each in _required(getattr(plugin, name)) if each not in self.specified[hook]]
        if extra:
            return f"{hook}: it takes {', '.join(map(repr, extra))}, which the hook does not give"
        return ""


def implementations(manager: Manager, record: PluginRecord) -> tuple[tuple[Implementation, ...], tuple[Problem, ...]]:
    """Register a loaded plugin: its implementations, and what it got wrong about the names of hooks."""
    if record.plugin is None:
        return (), ()
    problems = tuple(Problem(reason) for reason in _complaints(manager, record.plugin))
    manager.register(record.plugin, record.name)
    callers = manager.get_hookcallers(record.plugin) or []
    found = {
        Implementation(record.name, caller.name, each.function, tuple(each.argnames))
        for caller in callers
        for each in caller.get_hookimpls()
        if each.plugin_name == record.name
    }
    order = list(manager.specified)
    return tuple(sorted(found, key=lambda each: order.index(each.hook))), problems


def unknown_hook(name: str, known: Mapping[str, Any]) -> str:
    """That there is no such hook, with the nearest one."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, known, n=1, cutoff=_OBVIOUSLY_MEANT)
    return f"there is no hook {name!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else "")


def _complaints(manager: Manager, plugin: object) -> Iterator[str]:
    for name in dir(plugin):
        options = manager.options(plugin, name)
        if options is not None:
            complaint = manager.complaint(plugin, name, options)
        elif isinstance(plugin, Plugin):
            complaint = _public_method(manager, plugin, name)
        else:
            complaint = _unmarked(manager, plugin, name)
        if complaint:
            yield complaint


def _public_method(manager: Manager, plugin: Plugin, name: str) -> str:
    if name.startswith("_") or hasattr(Plugin, name) or not inspect.isroutine(inspect.getattr_static(plugin, name)):
        return ""
    return f"{unknown_hook(name, manager.specified)}; helper methods start with an underscore"


def _unmarked(manager: Manager, plugin: object, name: str) -> str:
    if not name.startswith(_PREFIX) or not inspect.isroutine(getattr(plugin, name, None)):
        return ""
    if name in manager.specified:
        return f"{name}: it is not marked with @atomloom.hookimpl"
    return unknown_hook(name, manager.specified)


def _overridden(plugin: Plugin, name: str) -> bool:
    return getattr(type(plugin), name) is not getattr(Plugin, name)


def _required(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that have to be given."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in kinds]
