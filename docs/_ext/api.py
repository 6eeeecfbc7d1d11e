"""Signatures for readers: a public name links to `atomloom`, wherever it is defined, and aliases stay short."""

from __future__ import annotations

import re
from typing import Any

from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import atomloom


def public_home(app: Sphinx, env: Any, node: pending_xref, content: Any) -> Any:
    """The documentation of a public name that a signature calls by the module that defines it."""
    target = node.get("reftarget", "")
    name = target.rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in atomloom.__all__:
        return None
    home = env.get_domain("py")
    return home.resolve_xref(env, node["refdoc"], app.builder, "obj", f"atomloom.{name}", node, content)


def short_aliases(*described: Any) -> tuple[str | None, str | None]:
    """The names of type aliases in a signature, without the wrapper that autodoc leaves around nested ones."""
    signature, returned = (text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in described[-2:])
    return signature, returned


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("missing-reference", public_home)
    app.connect("autodoc-process-signature", short_aliases)
    return {"parallel_read_safe": True}
