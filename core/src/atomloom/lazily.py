"""Public names of a package that are imported at their first use, so that importing it costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package whose public names live in its modules.

    For a type checker the names have to be imported, under ``if TYPE_CHECKING:``; a ``__getattr__`` that it sees would
    make it take every name for one that is there.

    Args:
        package: its ``__name__``.
        homes: for each name the module that it comes from, with ``module:other`` where it has another name there, and
            with a module alone as ``module:``.

    ::

        if not TYPE_CHECKING:
            __getattr__, __dir__ = lazily(__name__, {"Store": "store", "write_store": "writing:write"})

    >>> get, names = lazily("atomloom", {"Run": "runs", "opened": "runs.run:Run"})
    >>> get("opened") is get("Run"), "opened" in names()
    (True, True)
    >>> get("Walk")
    Traceback (most recent call last):
    AttributeError: module 'atomloom' has no attribute 'Walk'
    """

    def found(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, colon, other = homes[name].partition(":")
        imported = import_module(f"{package}.{module}")
        value = imported if colon and not other else getattr(imported, other or name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return found, names
