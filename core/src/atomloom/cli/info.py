"""``atomloom info``: what a bug report needs."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

import click
from importlib_metadata import Distribution, PackageNotFoundError, version

from atomloom.cli.output import echo_json, json_option
from atomloom.registry import Contribution, Registry, registry, resolve
from atomloom.registry.load import attempt

_GIB = 1024**3


@click.command()
@json_option
def info(json_output: bool) -> None:
    """Show versions, the machine, its devices and the plugins: what a bug report needs."""
    known = registry()
    described = {
        "versions": _versions(),
        "machine": _machine(),
        "devices": {each.spec.name: _devices(each) for each in known.all("backends") if each.spec.devices},
        "plugins": _plugins(known),
    }
    if json_output:
        echo_json(described)
        return
    for heading, values in described.items():
        if values:
            click.echo(f"{heading}\n{_indented(values)}\n")
    click.echo("Put this into a bug report. Tab completion is described in `atomloom --help`.")


def _indented(values: Mapping[str, Any]) -> str:
    width = max(map(len, values))
    return "\n".join(f"  {name:{width}}  {value}" for name, value in values.items())


def _versions() -> dict[str, str]:
    try:
        requirements = Distribution.from_name("atomloom").requires or []
    except PackageNotFoundError:
        requirements = []
    needed = [each.split(";")[0] for each in requirements if "extra ==" not in each]
    names = [_project(each) for each in needed]
    return {"python": sys.version.split()[0], **{name: _version(name) for name in ("atomloom", *names)}}


def _project(requirement: str) -> str:
    """The name in a requirement such as ``numpy>=1.26``."""
    return "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in requirement).split()[0]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cpus": _cpus(),
        "memory": _memory(),
        "python": sys.executable,
    }


def _cpus() -> int:
    """Those that this process may use, which may be fewer than there are."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GIB:.1f} GiB"
    except (AttributeError, ValueError, OSError):
        return "unknown"


def _devices(backend: Contribution) -> str:
    listed, problem = attempt(lambda: resolve(backend.spec.devices, whence=backend.whence)())
    return problem.reason if problem else ", ".join(map(str, listed or ()))


def _plugins(known: Registry) -> dict[str, str]:
    return {
        each.name: f"{each.whence} {each.status}" + (f": {each.reason}" if each.reason else "")
        for each in known.plugins
    }
