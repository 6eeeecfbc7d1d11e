"""Reports on disk and in notebooks: core's files always, renderers' files where they work."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import ModuleType

import pytest

from atomloom.errors import TargetError
from atomloom.registry import Contribution
from atomloom.report import Report, Section, Text, from_json, renderers, save
from atomloom.specs import RendererSpec

REPORT = Report("Dimers & <more>", (Section("S", (Text("All is well."),)),))


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """One renderer that works, one that raises, one that cannot be imported."""
    module = ModuleType("atomloom_fixture_renderers")

    def page(report: Report, folder: Path) -> Path:
        (folder / "index.html").write_text(f'<p title="x">{len(report.sections)}</p>')
        return folder / "index.html"

    def broken(report: Report, folder: Path) -> Path:
        raise ZeroDivisionError("no colours left")

    vars(module).update(page=page, broken=broken)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    loads = {"broken": f"{module.__name__}:broken", "gone": "atomloom_no_such:page", "page": f"{module.__name__}:page"}
    found = tuple(
        Contribution(
            "renderers", RendererSpec(name=name, load=load, suffix=".html"), "fixture", "atomloom-fixture", "1.2"
        )
        for name, load in loads.items()
    )
    monkeypatch.setattr(renderers, "installed", lambda: found)


def test_core_alone_writes_json_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made, and both files are complete."""
    monkeypatch.setattr(renderers, "installed", lambda: ())
    files = save(REPORT, tmp_path / "run" / "report")
    assert [file.name for file in files] == ["report.json", "report.txt"]
    assert from_json(files[0].read_bytes()) == REPORT
    assert "All is well.\n\nFor this report as a page" in files[1].read_text("utf-8")


@pytest.mark.usefixtures("plugins")
def test_a_renderer_that_fails_is_reported_and_the_others_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its name, its distribution and the reason are in the log; every other file is there."""
    with caplog.at_level(logging.WARNING, "atomloom.report"):
        files = save(REPORT, tmp_path)
    assert [file.name for file in files] == ["report.json", "report.txt", "index.html"]
    assert all(file.is_file() for file in files)
    assert len(caplog.records) == 2
    expected = "The renderer 'broken' of atomloom-fixture 1.2 failed on the report 'Dimers & <more>': "
    assert caplog.messages[0] == expected + "ZeroDivisionError: no colours left"
    assert "'gone' of atomloom-fixture 1.2" in caplog.messages[1]


def test_a_renderer_may_have_nothing_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """None instead of a path is no failure: plots of a report without figures."""
    spec = RendererSpec(name="plots", load="builtins:print", suffix=".png")
    found = (Contribution("renderers", spec, "fixture", "atomloom-fixture", "1.2"),)
    monkeypatch.setattr(renderers, "installed", lambda: found)
    assert [file.name for file in save(REPORT, tmp_path)] == ["report.json", "report.txt"]
    assert caplog.messages == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file in the folder's place is named, and left as it was."""
    (tmp_path / "report").write_text("mine")
    with pytest.raises(TargetError, match="Cannot save the report to"):
        save(REPORT, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "mine"


@pytest.mark.usefixtures("plugins")
def test_a_notebook_shows_the_page() -> None:
    """The first page that can be made, escaped, in a frame of its own, with the text beside it."""
    bundle = REPORT._repr_mimebundle_()
    assert "All is well." in bundle["text/plain"]
    assert 'srcdoc="&lt;p title=&quot;x&quot;&gt;1&lt;/p&gt;"' in bundle["text/html"]


def test_a_notebook_without_renderers_shows_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page, no HTML."""
    monkeypatch.setattr(renderers, "installed", lambda: ())
    assert set(REPORT._repr_mimebundle_()) == {"text/plain"}
