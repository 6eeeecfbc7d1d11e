"""The gallery in Chromium: it draws, asks for nothing, sorts, downloads, is dark, fits a phone, prints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomloom.report import Report, Table
from atomloom_report.gallery import NASTY
from atomloom_report.tables import to_csv

WAIT = 60_000  # milliseconds, for a machine that is busy with other things


def opened(browser: Any, file: Path, **context: Any) -> Any:
    """The page in a context of its own, with all figures drawn; `heard` and `asked` collect what goes wrong."""
    page = browser.new_context(**context).new_page()
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-drawn=yes]", timeout=WAIT)
    return page


@pytest.fixture(scope="module")
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    """The gallery on a desk, in light."""
    page = opened(browser, page_file, color_scheme="light", viewport={"width": 1280, "height": 900})
    yield page
    page.context.close()


def color(page: Any, selector: str, what: str = "backgroundColor") -> tuple[float, ...]:
    """The colour that an element has now, as parts from 0 to 1."""
    made = page.evaluate(
        """([selector, what]) => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.fillStyle = getComputedStyle(document.querySelector(selector))[what];
            pen.fillRect(0, 0, 1, 1);
            return [...pen.getImageData(0, 0, 1, 1).data];
        }""",
        [selector, what],
    )
    return tuple(part / 255 for part in made[:3])


def test_nothing_is_said_and_nothing_is_asked_for(page: Any, page_file: Path) -> None:
    """No message on the console, no error, no request but the one for the file itself."""
    assert page.heard == []
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [page_file.as_uri()]


def test_every_figure_is_drawn(page: Any) -> None:
    """Each flat figure has its axes, each scene in space its colours."""
    counts = "[...document.querySelectorAll('.plot')].map(e => e.querySelectorAll('.xtick, .ytick').length)"
    ticks = page.evaluate(counts)
    assert len(ticks) == 19
    assert min(ticks) > 0
    painted = """[...document.querySelectorAll('.scene canvas')].map(canvas =>
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(part => part))"""
    assert page.evaluate(painted) == [True] * 4


def test_no_button_sends_anything_anywhere(page: Any) -> None:
    """plotly.js can upload figures to its makers; here it offers nothing but to save, zoom, move and reset."""
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)")
    assert set(titles) == {"Download plot", "Zoom", "Pan", "Reset axes"}
    assert {plot["server"] for plot in page.evaluate(_SERVERS)} == {""}


_SERVERS = "[...document.querySelectorAll('.plot')].map(plot => ({server: plot._context.plotlyServerURL}))"


def test_names_run_no_script(page: Any) -> None:
    """A script in a name is words, also in plotly's labels and where the mouse is."""
    assert page.title() == "A gallery of reports"
    shown = page.evaluate(
        """() => {
            const plots = [...document.querySelectorAll('.plot')];
            const named = plots.find(plot => (plot._fullData[0].text || [])[0]?.includes('script'));
            Plotly.Fx.hover(named, [{curveNumber: 0, pointNumber: 0}]);
            return named.querySelector('.hoverlayer').textContent;
        }"""
    )
    assert NASTY.split(" = ")[0] in shown
    assert page.evaluate("document.querySelectorAll('.plot script, .plot b, .plot a').length") == 0


def column(page: Any, place: int) -> list[str]:
    """The cells of a column of the first table."""
    cells: list[str] = page.evaluate(
        f"[...document.querySelector('.table table').tBodies[0].rows].map(row => row.cells[{place}].textContent)"
    )
    return cells


@pytest.mark.parametrize("by", ["click", "Enter", " "])
def test_tables_sort(page: Any, by: str) -> None:
    """By mouse and by keyboard: ascending, descending, as it was; `aria-sort` says which."""
    before = column(page, 1)
    head = page.locator(".table th").nth(1)

    def act() -> None:
        head.locator(".sort").click() if by == "click" else head.locator(".sort").press(by)

    act()
    assert column(page, 1) == sorted(before, key=int)
    assert head.get_attribute("aria-sort") == "ascending"
    act()
    assert column(page, 1) == sorted(before, key=int, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    act()
    assert column(page, 1) == before
    assert head.get_attribute("aria-sort") is None


def test_sorting_is_by_value_and_puts_the_missing_last(page: Any) -> None:
    """Numbers sort by their value whatever their text; NaN and empty cells are below in both directions."""
    table = page.locator("table", has=page.locator("td", has_text="水"))
    values = "e => [...e.tBodies[0].rows].map(row => row.cells[1].textContent)"
    for expected in (["-inf", "1.500", "1.000e300", "NaN"], ["1.000e300", "1.500", "-inf", "NaN"]):
        table.locator("th .sort").nth(1).click()
        assert table.evaluate(values) == expected
    table.locator("th .sort").nth(1).click()


def test_csv_is_downloaded(page: Any, report: Report) -> None:
    """The link saves a file of the table's name with every value in it."""
    table = next(block for block in report.blocks if isinstance(block, Table))
    with page.expect_download() as waiting:
        page.locator(".table .csv").first.click()
    assert waiting.value.suggested_filename == "force-errors-by-residue.csv"
    assert Path(waiting.value.path()).read_bytes().decode() == to_csv(table)


def test_scenes_turn(page: Any) -> None:
    """Arrow keys turn a scene, zero turns it back; the mouse names what it points at."""
    scene = page.locator(".scene").first
    picture = "e => e.querySelector('canvas').toDataURL()"
    scene.focus()
    before = scene.evaluate(picture)
    for key, same in (("ArrowLeft", False), ("0", True)):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
        assert (scene.evaluate(picture) == before) == same
    box = scene.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert scene.locator(".tip").inner_text().endswith("kcal/mol/e")


def luminance(rgb: tuple[float, ...]) -> float:
    """Relative luminance as WCAG defines it."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast ratio as WCAG defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_both_themes(browser: Any, page_file: Path, scheme: str) -> None:
    """The page follows the system; all words, those of plots included, have the contrast that WCAG asks for."""
    page = opened(browser, page_file, color_scheme=scheme)
    assert (luminance(color(page, "body")) > 0.5) == (scheme == "light")
    card = color(page, ".card")
    for selector, what in ((".caption", "color"), ("td", "color"), (".plot .xtick text", "fill"), (".unit", "color")):
        assert contrast(card, color(page, selector, what)) > 4.5, selector
    page.context.close()


def test_theme_is_switched_and_remembered(browser: Any, page_file: Path) -> None:
    """The button turns light into dark, and a later visit finds it so."""
    page = opened(browser, page_file, color_scheme="light")
    button = page.locator("#theme")
    assert button.get_attribute("aria-label") == "Switch to dark"
    button.click()
    assert luminance(color(page, "body")) < 0.1
    page.reload()
    assert luminance(color(page, "body")) < 0.1
    assert button.get_attribute("aria-label") == "Switch to light"
    button.click()
    assert luminance(color(page, "body")) > 0.8
    page.context.close()


def test_a_phone_shows_all_of_it(browser: Any, page_file: Path) -> None:
    """At 390 pixels the page does not scroll sideways; wide tables do so within their cards."""
    page = opened(browser, page_file, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")
    assert (
        page.evaluate(
            "Math.max(...[...document.querySelectorAll('.plot svg')].map(e => e.getBoundingClientRect().right))"
        )
        <= 390
    )
    assert page.evaluate("document.querySelector('nav details').open") is False
    page.context.close()


def test_paper_is_white_and_wide_enough(browser: Any, page_file: Path, tmp_path: Path) -> None:
    """Printed from dark it is light, without buttons, and no figure is cut off."""
    page = opened(browser, page_file, color_scheme="dark", viewport={"width": 1280, "height": 900})
    made = page.pdf(format="A4", prefer_css_page_size=True)
    assert made.startswith(b"%PDF")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})  # what A4 leaves between its margins
    assert luminance(color(page, "body")) > 0.99
    assert luminance(color(page, ".plot .xtick text", "fill")) < 0.3
    for hidden in ("nav", "#theme", ".csv", ".modebar-container"):
        assert not page.locator(hidden).first.is_visible(), hidden
    edges = "[...document.querySelectorAll('.plot .main-svg, .scene canvas')].map(e => e.getBoundingClientRect().right)"
    assert max(page.evaluate(edges)) <= 680
    ratios = (
        "[...document.querySelectorAll('.plot')].map(e => e.getBoundingClientRect()).map(box => box.width / box.height)"
    )
    assert all(math.isfinite(ratio) and 0.3 < ratio < 4 for ratio in page.evaluate(ratios))
    page.context.close()


def test_a_notebook_frame_works(browser: Any, page_file: Path, tmp_path: Path) -> None:
    """Within a frame, where there is no storage, figures are drawn all the same."""
    frame = tmp_path / "notebook.html"
    content = page_file.read_text("utf-8").replace("&", "&amp;").replace('"', "&quot;")
    frame.write_text(
        f'<!doctype html><iframe sandbox="allow-scripts" srcdoc="{content}" width="900"></iframe>', "utf-8"
    )
    page = browser.new_context().new_page()
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(frame.as_uri())
    page.frame_locator("iframe").locator("html[data-drawn=yes]").wait_for(timeout=WAIT, state="attached")
    assert heard == []
    page.context.close()
