"""Cross-references in signatures: a public name is documented under `atomloom`, wherever it is defined."""

from __future__ import annotations

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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("missing-reference", public_home)
    return {"parallel_read_safe": True}
