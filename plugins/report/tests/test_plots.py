"""The printed figures: which files there are, that they are the same every time, that nothing overlaps."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from atomloom.report import Axis, Bars, Curve, Figure, Heights, Histogram, Report, Section, Series, Text, parity
from atomloom_report import gallery, interactive
from atomloom_report.palette import LOOKS
from atomloom_report.printed import drawing, layout, render

FIGURES = [block for block in gallery.report().blocks if isinstance(block, Figure)]
SVG = "{http://www.w3.org/2000/svg}"
SMALL = Report(
    "T",
    (
        Section("", (parity("E: predicted & <reference>", np.arange(5.0), np.ones(5), Axis("energy", "eV")),)),
        Section("", (Curve(title="No points", series=()), Text("x"))),
        Section("", (Bars(title="$x^2$", labels=("a", "b"), series=(Heights("_under", np.ones(2), np.ones(2)),)),)),
    ),
)


def words(svg: Path) -> str:
    """All words of an SVG file."""
    return " ".join("".join(text.itertext()) for text in ElementTree.parse(svg).iter(f"{SVG}text"))


def test_every_figure_with_something_in_it_is_a_png_and_an_svg(tmp_path: Path) -> None:
    """Readable names in the order of the report, numbered as its figures are."""
    assert render(SMALL, tmp_path) == tmp_path / "plots"
    names = ["01-e-predicted-reference", "03-x-2"]
    expected = [f"{name}.{kind}" for name in names for kind in ("png", "svg")]
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == expected
    assert (tmp_path / "plots" / expected[0]).read_bytes().startswith(b"\x89PNG")


def test_same_report_same_files(tmp_path: Path) -> None:
    """No date, no random name, no version of a library."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        render(SMALL, tmp_path / folder)
    for path in (tmp_path / "one" / "plots").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "plots" / path.name).read_bytes(), path.name
        assert not re.search(rb"20\d\d-\d\d-\d\d|Matplotlib v", path.read_bytes()), path.name


def test_words_in_svg_are_words(tmp_path: Path) -> None:
    """Titles, units and names can be searched and edited; dollars and underscores are no markup."""
    render(SMALL, tmp_path)
    first, second = sorted((tmp_path / "plots").glob("*.svg"))
    assert "E: predicted & <reference>" in words(first)
    assert "reference energy (eV)" in words(first)
    assert "$x^2$" in words(second)
    assert "_under" in words(second)


def test_no_figures_no_folder(tmp_path: Path) -> None:
    """A report without anything to draw leaves no empty folder."""
    assert render(Report("T", (Section("", (Text("x"),)),)), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_stale_plots_go_and_others_stay(tmp_path: Path) -> None:
    """What an earlier version of the report left is removed; a file of the user's is not."""
    render(SMALL, tmp_path)
    (tmp_path / "plots" / "mine.png").write_bytes(b"mine")
    render(Report("T", SMALL.sections[:1]), tmp_path)
    names = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert names == ["01-e-predicted-reference.png", "01-e-predicted-reference.svg", "mine.png"]


def test_matplotlib_stays_as_it_was(tmp_path: Path) -> None:
    """Neither the settings nor the backend of the user's own plots change, and theirs do not change ours."""
    before = dict(mpl.rcParams)
    render(SMALL, tmp_path)
    ours = (tmp_path / "plots" / "03-x-2.png").read_bytes()
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        render(SMALL, tmp_path)
    assert (tmp_path / "plots" / "03-x-2.png").read_bytes() == ours


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{type(figure).__name__}-{figure.title[:16]}")
def test_caption_and_title_stand_clear_of_the_drawing(figure: Figure) -> None:
    """Neither overlaps the axes with their numbers and legend, nor leaves the sheet; nothing is drawn of nothing."""
    with layout.settings():
        paper = drawing(figure)
        assert (paper is None) == (not _has_something(figure))
        if paper is None:
            return
        paper.draw_without_rendering()
        renderer = paper.canvas.get_renderer()
        boxes = [axes.get_tightbbox(renderer) for axes in paper.axes]
        low, high = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
        title, caption = (text.get_window_extent(renderer) for text in paper.texts)
        assert high <= title.y0 + 1
        assert caption.y1 <= low or not figure.legend
        assert all(box.x0 >= 0 and box.x1 <= paper.bbox.x1 + 1 for box in (title, caption, *boxes))


def _has_something(figure: Figure) -> bool:
    nothing = ("No points", "No values", "No bars", "No cells", "No points in space")
    return figure.title not in nothing


def test_page_and_paper_use_the_same_colours(tmp_path: Path) -> None:
    """The first series has one colour on the page and in the file."""
    figure = Curve(title="C", series=(Series("a", np.arange(3.0), np.arange(3.0)),))
    drawn = interactive.drawing(figure)
    assert drawn is not None
    assert drawn["data"][0]["line"]["color"] == LOOKS[0].color
    render(Report("T", (Section("", (figure,)),)), tmp_path)
    assert f"stroke: {LOOKS[0].color}" in (tmp_path / "plots" / "01-c.svg").read_text("utf-8")


def test_series_differ_without_colour() -> None:
    """Each of the first seven series has its own combination of colour, dash and marker; no two markers are alike."""
    assert len({look.color for look in LOOKS}) == len({look.marker for look in LOOKS}) == len(LOOKS)
    assert len({look.symbol for look in LOOKS}) == len(LOOKS)


def test_a_million_points_are_thinned_in_print(tmp_path: Path) -> None:
    """The file stays small, and its caption says how many points are drawn."""
    x = np.random.default_rng(0).normal(size=1_000_000)
    render(Report("T", (Section("", (parity("E", x + 0.1, x, Axis("energy", "eV")),)),)), tmp_path)
    path = tmp_path / "plots" / "01-e.svg"
    assert path.stat().st_size < 500_000
    assert "50,000 of 1,000,000 points are drawn." in words(path)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_histogram_counts_are_drawn_as_they_are(scale: str) -> None:
    """The outline rises to each count, from zero or from below one."""
    figure = Histogram.of("H", {"": [0.0, 0.0, 1.0]}, Axis(), bins=2)
    log = Histogram(title="H", edges=figure.edges, series=figure.series, y=Axis("count", scale=scale))  # type: ignore[arg-type]
    with layout.settings():
        paper = drawing(log)
    assert paper is not None
    heights = paper.axes[0].lines[0].get_ydata()
    assert list(heights) == ([0, 2, 2, 1, 1, 0] if scale == "linear" else [0.5, 2, 2, 1, 1, 0.5])
