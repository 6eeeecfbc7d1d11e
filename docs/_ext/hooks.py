"""Every hook with its documentation and its example."""

from __future__ import annotations

import inspect

from atomloom.registry import registry
from atomloom.registry.implementations import specifications

from .markdown import block, docstring


def all_hooks(_: str) -> str:
    """One section for each hook."""
    return "\n".join(map(_section, specifications().values()))


def _section(function: object) -> str:
    name: str = function.__name__  # type: ignore[attr-defined]  # a hook specification is a function
    signature = f"{name}{inspect.signature(function)}".replace("'", "")  # type: ignore[arg-type]  # the same
    by = [f"`{each.plugin}`" for each in registry().implementations if each.hook == name]
    text = docstring(inspect.getdoc(function) or "")
    return f"## {name}\n\n{block('python', signature)}\n{text}\nImplemented by: {', '.join(by) or 'nobody'}.\n"
