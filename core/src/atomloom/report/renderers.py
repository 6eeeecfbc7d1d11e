"""The installed plugins that turn a report into a file, and what comes of calling one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, cast

from atomloom.specs import RendererSpec

if TYPE_CHECKING:
    from atomloom.registry import Contribution
    from atomloom.report.document import Report

log = logging.getLogger(__name__)

PAGES = frozenset({".html", ".htm"})
"""Suffixes of renderers that make a page for a browser."""


def installed() -> tuple[Contribution, ...]:
    """What is registered as a renderer, in the order of the registry."""
    from atomloom.registry import registry  # reports can be made and read without looking for plugins

    return registry().all("renderers")


def makes_page(contribution: Contribution) -> bool:
    """Whether this renderer makes a page for a browser."""
    return cast(RendererSpec, contribution.spec).suffix.lower() in PAGES


def has_page() -> bool:
    """Whether an installed renderer makes a page for a browser."""
    return any(map(makes_page, installed()))


def rendered(contribution: Contribution, report: Report, folder: Path) -> Path | None:
    """The file that a renderer wrote into `folder`; None if it had nothing to write, or could not (see the log)."""
    from atomloom.registry import resolve

    spec = cast(RendererSpec, contribution.spec)
    try:
        made = resolve(spec.load)(report, folder)
        return None if made is None else Path(made)
    except Exception as error:  # someone else's code, and the text and the JSON are already there
        who = f"{spec.name!r} of {contribution.distribution} {contribution.version}"
        log.warning("The renderer %s failed on the report %r: %s: %s", who, report.title, type(error).__name__, error)
        log.debug("Where it failed:", exc_info=True)
        return None
