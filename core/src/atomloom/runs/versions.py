"""The versions of everything that has a say in a run's numbers."""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9._-]+")
GROUP = "atomloom"
"""The entry-point group by which plugins are found."""


@cache
def own_version() -> str:
    """The version of the installed core."""
    return _version("atomloom") or "unknown"


@cache
def versions() -> dict[str, str]:
    """Name of each distribution that matters -> its version, sorted, with Python's own first.

    Those are the core, every distribution with an atomloom plugin, and what these ask for directly (numpy and the
    array libraries of the installed backends among them); extras are left out.

    >>> {"python", "atomloom", "numpy"} <= versions().keys()
    True
    """
    plugins = {_normal(point.dist.name) for point in metadata.entry_points(group=GROUP) if point.dist}
    ours = {"atomloom"} | plugins
    names = ours.union(*(_direct_needs(name) for name in ours))
    found = {name: version for name in sorted(names) if (version := _version(name))}
    return {"python": platform.python_version(), **found}


def _direct_needs(name: str) -> set[str]:
    try:
        needs = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return set()
    plain = (need for need in needs if "extra ==" not in need)
    return {_normal(found[0]) for need in plain if (found := _NAME.match(need))}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
