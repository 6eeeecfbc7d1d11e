"""What the plugin registers, and what comes of saving a report with it."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atomloom.registry import registry, resolve
from atomloom.report import Axis, Report, Section, parity, save, to_text
from atomloom_report import elements, scene, specimen


def test_plugin_imports_nothing_heavy() -> None:
    """Commands that only list plugins pay for none of our libraries."""
    heavy = ("numpy", "matplotlib", "plotly", "jinja2")
    code = f"import atomloom_report.plugin, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(("kind", "name"), [("renderers", "html"), ("renderers", "plots"), ("demos", "report")])
def test_everything_registered_resolves(kind: str, name: str) -> None:
    """Each `load` and `example` leads to something that can be called."""
    spec = registry().get(kind, name).spec
    assert callable(resolve(spec.load))
    assert not spec.example or callable(resolve(spec.example))


def test_a_saved_report_has_page_and_plots(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Beside JSON and text stand page and plots, without a warning; the text no longer says what to install."""
    report = Report("T", (Section("S", (parity("E", np.arange(3.0), np.ones(3), Axis("energy", "eV")),)),))
    with caplog.at_level(logging.WARNING):
        files = save(report, tmp_path)
    assert [path.name for path in files] == ["report.json", "report.txt", "index.html", "plots"]
    assert caplog.messages == []
    assert "pip install atomloom-report" not in to_text(report)


def test_a_notebook_shows_the_page() -> None:
    """A report in a notebook is its page in a frame."""
    assert "<iframe" in Report("T")._repr_mimebundle_()["text/html"]


def test_specimen_is_a_molecule() -> None:
    """The gallery's molecule has the bonds of 4-nitrophenol, and its surface is closed."""
    atoms, charges = specimen.molecule()
    assert len(elements.bonds(atoms.Z, atoms.R)) == 15  # as many as atoms: one ring
    assert abs(charges.sum()) < 1e-12
    vertices, triangles = specimen.surface(atoms)
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert set(counts.tolist()) == {2}
    assert len(vertices) - len(counts) + len(triangles) == 2  # Euler


def test_views_turn_and_do_not_distort() -> None:
    """What is seen is the molecule turned: all distances are as they were, and no mirror image."""
    from atomloom.report import Points3D

    atoms, _ = specimen.molecule()
    chiral = np.concatenate([atoms.R, [[0.5, 1.0, 2.0]]])
    seen = scene.scene(Points3D(title="", points=chiral)).points
    before, after = (np.linalg.norm(p[:, None] - p, axis=-1) for p in (chiral, seen))
    assert np.allclose(before, after)
    volumes = [np.linalg.det(p[[0, 2, 11]] - p[-1]) for p in (chiral, seen)]
    assert np.isclose(*volumes)


def test_points_that_are_nowhere_are_left_out_of_scenes() -> None:
    """NaN places drop their point, their triangles and nothing else."""
    from atomloom.report import Surface3D

    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [np.nan, 0, 0]])
    shown = scene.scene(Surface3D(title="", vertices=corners, triangles=np.array([[0, 1, 2], [1, 2, 3]])))
    assert len(shown.points) == 3
    assert shown.triangles.tolist() == [[0, 1, 2]]
