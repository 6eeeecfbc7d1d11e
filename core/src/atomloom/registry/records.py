"""The nouns of the registry: what each step hands to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

from atomloom.specs import Spec

CORE = "core"
"""Name of the plugin that is core's own contributions; it cannot be blocked, and its commands cannot be shadowed."""

SLOW = 0.25
"""Seconds of import time above which `atomloom plugins` calls a plugin slow: every command pays them."""


class Found(NamedTuple):
    """A plugin that an entry point names; nothing of it is imported yet.

    Args:
        name: what people call it: the name of its entry point, or of its distribution where two plugins share one.
        reference: ``"module"`` or ``"module:attribute"``, as the entry point has it.
        distribution: the installed distribution that it belongs to.
        version: of that distribution.
        target: the plugin itself where it is at hand, as in a test or a notebook; `reference` is not imported then.
    """

    name: str
    reference: str = ""
    distribution: str = "(none)"
    version: str = "0"
    target: object = None


class Problem(NamedTuple):
    """Why a plugin, or a part of it, could not be used.

    Args:
        reason: in one line.
        traceback: of the exception, or an empty string where there was none.
        hook: the hook that it happened in, or an empty string for the plugin as a whole.
    """

    reason: str
    traceback: str = ""
    hook: str = ""


class PluginRecord(NamedTuple):
    """What became of a plugin that was found."""

    name: str
    distribution: str
    version: str
    reference: str
    plugin: object = None
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    blocked: bool = False

    @property
    def status(self) -> str:
        """``"loaded"``, ``"blocked"``, or ``"failed"``, which a plugin with a part that still works is called, too."""
        if self.blocked:
            return "blocked"
        return "failed" if self.problems else "loaded"

    @property
    def slow(self) -> bool:
        """Whether importing it took longer than `SLOW`."""
        return self.seconds > SLOW

    @property
    def whence(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}"

    @property
    def reason(self) -> str:
        """The first problem in one line, and how many more there are."""
        if not self.problems:
            return ""
        more = len(self.problems) - 1
        return self.problems[0].reason + (f" (and {more} more)" if more else "")

    def goes_by(self, name: str) -> bool:
        """Whether people may mean this plugin by `name`: its own name or its distribution's."""
        return normal(name) in (normal(self.name), normal(self.distribution))


class Contribution(NamedTuple):
    """A spec with the plugin that brought it."""

    kind: str
    spec: Any
    plugin: str
    distribution: str
    version: str

    @property
    def whence(self) -> str:
        """The plugin with its distribution and version."""
        return f"{self.plugin} ({self.distribution} {self.version})"

    def load(self) -> Any:
        """Import what the spec points to; raises `PluginError` where that fails."""
        from atomloom.registry.references import resolve

        return resolve(self.spec.load, whence=self.whence)


class Conflict(NamedTuple):
    """Two plugins that cannot both have what they declare."""

    kind: str
    name: str
    message: str


def normal(name: str) -> str:
    """A name of a plugin or distribution as it is compared: without regard to case and to ``-``, ``_`` and ``.``."""
    return name.casefold().replace("_", "-").replace(".", "-")


def named(spec: Spec) -> str:
    """The name of a spec for messages."""
    return f"{type(spec).__name__} {getattr(spec, 'name', '?')!r}"
