"""What is filled into the pages is what is installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs._ext import markdown
from docs._ext.generated import COMMENT, PARTS, fill
from sphinx.errors import ExtensionError

PAGES = sorted(Path(__file__).parent.rglob("*.md"))
ASKED = [match for page in PAGES for match in COMMENT.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("match", ASKED, ids=lambda match: f"{match['name']} {match['argument']}".strip())
def test_every_comment_is_filled(match: re.Match[str]) -> None:
    """Each comment on a page becomes text, with core's part in it."""
    assert len(PARTS[match["name"]](match["argument"])) > 20


def test_every_part_is_asked_for() -> None:
    """Nothing is generated that no page shows."""
    assert {match["name"] for match in ASKED} == set(PARTS)


def test_every_plugin_has_a_page() -> None:
    """The README of each plugin of the workspace is one of the pages."""
    root = Path(__file__).parent
    plugins = {path.parent.name for path in root.parent.glob("plugins/*/pyproject.toml")}
    assert {page.stem for page in (root / "plugins").glob("*.md")} == plugins


def test_unknown_comment_fails_the_build() -> None:
    """A misspelt name does not vanish from the page."""
    with pytest.raises(ExtensionError, match=r"plugins: nothing generates 'plugin'; there are .*plugins"):
        fill(None, "plugins", ["<!-- generated: plugin -->"])  # type: ignore[arg-type]  # the application is not used


def test_docstring_becomes_markdown() -> None:
    """A literal block of a docstring becomes Python, and its blank lines stay."""
    text = "Says ``a``.\n\nExample::\n\n    import a\n\n    a.b()\n\nEnd.\n"
    shown = markdown.docstring(text)
    assert "```python\nimport a\n\na.b()\n```" in shown
    assert "Says `a`." in shown
    assert shown.rstrip().endswith("End.")


def test_table_escapes_bars() -> None:
    """A bar within a cell does not end it, and an empty cell is seen."""
    assert markdown.table(("a", "b"), [("x | y", "")]).splitlines()[-1] == "| x \\| y | – |"
