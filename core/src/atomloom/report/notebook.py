"""A report in a notebook: the page of an installed renderer in a frame, the text otherwise."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path

from atomloom.report import renderers
from atomloom.report.document import Report
from atomloom.report.text import to_text

HEIGHT = 640
"""Of the frame in the notebook, in pixels."""


def mimebundle(report: Report) -> dict[str, str]:
    """What a notebook may show for `report`: always ``text/plain``, and ``text/html`` where a page can be made."""
    bundle = {"text/plain": to_text(report)}
    page = _page(report)
    if page is not None:
        style = f"width: 100%; height: {HEIGHT}px; border: 0"
        # In a frame of its own neither the page's style nor its scripts touch the notebook.
        bundle["text/html"] = f'<iframe style="{style}" srcdoc="{html.escape(page)}"></iframe>'
    return bundle


def _page(report: Report) -> str | None:
    for contribution in filter(renderers.makes_page, renderers.installed()):
        with tempfile.TemporaryDirectory() as folder:
            path = renderers.rendered(contribution, report, Path(folder))
            if path is not None and path.is_file():
                return path.read_text("utf-8")
    return None
