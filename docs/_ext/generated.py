"""Fills the ``<!-- generated: NAME ARGUMENT -->`` comments of a page with Markdown about what is installed.

Nothing of it is written to disk, so nothing of it can grow stale. A name that is not in `PARTS` fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from . import checks, commands, hooks, literature, options, specs

COMMENT = re.compile(r"^<!-- generated: (?P<name>[\w-]+) ?(?P<argument>[^>]*?) -->$", re.MULTILINE)

PARTS: dict[str, Callable[[str], str]] = {
    "checks": checks.all_checks,
    "commands": commands.all_commands,
    "contributions": specs.contributions,
    "fields": specs.fields,
    "hooks": hooks.all_hooks,
    "literature": literature.literature,
    "plugins": specs.plugins,
    "struct": options.struct,
}
"""What can be asked for; each is given the rest of the comment."""


def fill(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the comments of a page before it is parsed."""

    def part(match: re.Match[str]) -> str:
        if match["name"] not in PARTS:
            raise ExtensionError(f"{docname}: nothing generates {match['name']!r}; there are {', '.join(PARTS)}")
        return PARTS[match["name"]](match["argument"])

    source[0] = COMMENT.sub(part, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", _changed)
    return {"parallel_read_safe": True}


def _changed(app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages with such comments are read anew at every build: what is installed may have changed."""
    pages = (name for name in env.found_docs if name not in removed)
    return [name for name in pages if COMMENT.search(env.doc2path(name).read_text(encoding="utf-8"))]
