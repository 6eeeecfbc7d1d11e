"""``"module:attribute"``: how a spec points to code that is imported when it is used."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from typing import Any

from atomloom.errors import PluginError
from atomloom.registry.records import CORE


def well_formed(reference: object) -> bool:
    """Whether this is a string of the form ``"module:attribute"``.

    >>> well_formed("package.module:function"), well_formed("package.module"), well_formed("a module:function")
    (True, False, False)
    """
    parts = reference.split(":") if isinstance(reference, str) else ()
    return len(parts) == 2 and all(map(_dotted, parts))


def _dotted(name: str) -> bool:
    return all(map(str.isidentifier, name.split(".")))


def locate(reference: str) -> Any:
    """Import ``"module"`` or ``"module:attribute"``, as an entry point has it; raises what the import raises."""
    module, _, attribute = (part.strip() for part in reference.partition("[")[0].partition(":"))
    if not all(map(_dotted, filter(None, (module or "?", attribute)))):
        raise ValueError(f"the entry point {reference!r} is not 'module' or 'module:attribute'")
    return reduce(getattr, attribute.split(".") if attribute else (), import_module(module))


def resolve(reference: str, *, whence: str = "") -> Any:
    """Import what a spec points to.

    Args:
        reference: ``"module:attribute"``.
        whence: the plugin that says so, for messages; looked up in the process's registry unless given.

    >>> resolve("math:pi")
    3.141592653589793
    >>> resolve("math:tau_", whence="mine (atomloom-mine 1.0)")
    Traceback (most recent call last):
    atomloom.errors.PluginError: Cannot use 'math:tau_' of the plugin mine (atomloom-mine 1.0): the module 'math' has \
no 'tau_'. Report it to the authors of the plugin; `-p no:mine` does without it.
    """
    if not well_formed(reference):
        raise _broken(reference, whence, f"{reference!r} is not of the form 'module:attribute'")
    module, _, attribute = reference.partition(":")
    try:
        target = import_module(module)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        raise _missing(reference, whence, module, error) from error
    except BaseException as error:
        raise _broken(reference, whence, f"importing {module!r} ended in {_named(error)}") from error
    try:
        return reduce(getattr, attribute.split("."), target)
    except AttributeError as error:
        raise _broken(reference, whence, f"the module {module!r} has no {attribute!r}") from error


def _named(error: BaseException) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _missing(reference: str, whence: str, module: str, error: ModuleNotFoundError) -> PluginError:
    name = error.name or "?"
    if module == name or module.startswith(f"{name}."):
        return _broken(reference, whence, f"there is no module {name!r}")
    asked = _asked(reference, whence)
    return PluginError(asked, f"it needs the module {name!r}, which is not installed", f"Install what brings {name!r}")


def _broken(reference: str, whence: str, found: str) -> PluginError:
    whence = whence or _whence(reference)
    plugin = whence.partition(" ")[0]
    without = f"; `-p no:{plugin}` does without it" if plugin not in ("", CORE) else ""
    return PluginError(_asked(reference, whence), found, f"Report it to the authors of the plugin{without}")


def _asked(reference: str, whence: str) -> str:
    whence = whence or _whence(reference)
    return f"use {reference!r}" + (f" of the plugin {whence}" if whence else "")


def _whence(reference: str) -> str:
    """The plugin whose spec holds this reference, if the registry is there to ask."""
    from atomloom.registry.process import current

    registry = current()
    return "" if registry is None else registry.whence(reference)
