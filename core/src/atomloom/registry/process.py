"""The registry of this process, made on first use from what is installed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomloom.registry import Registry

ENVIRONMENT = "ATOMLOOM_BLOCK"
"""The environment variable with names of plugins, separated by commas, that are not to be loaded."""


class _State:
    registry: Registry | None = None
    blocked: frozenset[str] = frozenset()


def registry() -> Registry:
    """The contributions of all installed plugins, but those blocked by ``ATOMLOOM_BLOCK`` or `block`."""
    if _State.registry is None:
        from atomloom.registry.lookup import unknown_plugin
        from atomloom.registry.loom import Registry

        made = Registry(blocked=_State.blocked | _from_environment())
        for name in sorted(_State.blocked):
            if not any(record.goes_by(name) for record in made.plugins):
                raise unknown_plugin(f"block the plugin {name!r}", name, made.plugins)
        _State.registry = made
    return _State.registry


def current() -> Registry | None:
    """The registry of this process if it was made already."""
    return _State.registry


def block(names: Iterable[str]) -> None:
    """Load no plugins of these names, or of distributions of these names, from now on."""
    wanted = frozenset(names)
    if wanted != _State.blocked:
        _State.blocked, _State.registry = wanted, None


def use(registry: Registry | None) -> None:
    """Make this the registry of the process, as a notebook or a test may; None finds the installed plugins anew."""
    _State.registry = registry


def _from_environment() -> frozenset[str]:
    return frozenset(name.strip() for name in os.environ.get(ENVIRONMENT, "").split(",") if name.strip())
