"""A report on disk: ``report.json``, ``report.txt``, and what the installed renderers make of it."""

from __future__ import annotations

from pathlib import Path

from atomloom.errors import TargetError
from atomloom.report import renderers
from atomloom.report.codec import to_json
from atomloom.report.document import Report
from atomloom.report.text import to_text

WIDTH = 100
"""Columns of ``report.txt``."""


def save(report: Report, folder: Path | str) -> tuple[Path, ...]:
    """Write a report into `folder`, which is made if need be, and return the files that were written.

    ``report.json`` and ``report.txt`` come first, each complete or not at all. A renderer that fails is a warning in
    the log of ``atomloom.report``, and its file is missing from the answer; the others still run.
    """
    folder = Path(folder)
    files = {"report.json": to_json(report), "report.txt": to_text(report, WIDTH).encode()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [_written(folder / name, content) for name, content in files.items()]
    except OSError as error:
        todo = "Give a folder that you may write to"
        raise TargetError(f"save the report to {str(folder)!r}", error.strerror or str(error), todo) from error
    pages = (renderers.rendered(contribution, report, folder) for contribution in renderers.installed())
    return (*written, *filter(None, pages))


def _written(path: Path, content: bytes) -> Path:
    from atomloom.runs.atomic import atomic_file  # runs make reports; only saving one needs anything of runs

    with atomic_file(path, "wb") as file:
        file.write(content)
    return path
