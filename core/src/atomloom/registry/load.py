"""Load: import what was found. Whatever goes wrong is written down, never raised."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from types import TracebackType
from typing import TypeVar

from atomloom.registry.records import CORE, Found, PluginRecord, Problem
from atomloom.registry.references import locate
from atomloom.specs import API

Result = TypeVar("Result")

_MACHINERY = ("atomloom.registry", "importlib")


def load(found: Found, blocked: Collection[str] = ()) -> PluginRecord:
    """Import a plugin, unless its name or its distribution's is among the `blocked`, and check its api."""
    record = PluginRecord(found.name, found.distribution, found.version, found.reference)
    if found.name != CORE and any(map(record.goes_by, blocked)):
        return record._replace(blocked=True)
    start = time.perf_counter()
    plugin, problem = attempt(lambda: _plugin(found))
    record = record._replace(seconds=time.perf_counter() - start)
    if problem is None and (reason := _misfit(plugin)):
        problem = Problem(reason)
    return record._replace(problems=(problem,)) if problem else record._replace(plugin=plugin)


def attempt(call: Callable[[], Result], hook: str = "") -> tuple[Result | None, Problem | None]:
    """Run code of a plugin: its result or its problem.

    Everything but the user's Ctrl-C is caught, since a plugin may well end in ``SystemExit`` or a panic of its own
    making. What it prints goes to stderr: stdout belongs to the command, whose output a program may read.
    """
    try:
        with redirect_stdout(sys.stderr):
            return call(), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, problem_of(error, hook)


def problem_of(error: BaseException, hook: str = "") -> Problem:
    """An exception as data, with its traceback."""
    from traceback import format_exception

    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    where = f" ({error.filename}, line {error.lineno})" if isinstance(error, SyntaxError) and error.filename else ""
    said = error.msg + where if isinstance(error, SyntaxError) else first
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    trace = _from_plugin(error.__traceback__)
    text = "".join(format_exception(type(error), error, trace)) if trace else ""
    return Problem(f"{hook}: {reason}" if hook else reason, text, hook)


def _from_plugin(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of the registry and the import system that it begins with."""
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(_MACHINERY):
        trace = trace.tb_next
    return trace


def _plugin(found: Found) -> object:
    target = locate(found.reference) if found.target is None else found.target
    return target() if isinstance(target, type) else target


def _misfit(plugin: object) -> str:
    api = getattr(plugin, "api", None)
    if api is None:
        return f"it declares no api; write `api = {API}` into it"
    if api != API or isinstance(api, bool):
        return f"it was written for api {api!r}, and this atomloom speaks api {API}"
    return ""
