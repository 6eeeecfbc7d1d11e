"""Reports as JSON: nothing is lost, people can read it, and other files and versions are told apart."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom.errors import DataError
from atomloom.report import (
    Axis,
    Bars,
    Column,
    Curve,
    HeatMap,
    Heights,
    Hexbin,
    Histogram,
    KeyFigure,
    KeyFigures,
    Link,
    Links,
    Molecule,
    Points3D,
    Report,
    Scatter,
    Section,
    Series,
    Surface3D,
    Table,
    Text,
    Unknown,
    from_json,
    to_json,
    to_text,
)
from atomloom.report.arrays import READABLE, pack, unpack
from atomloom.report.codec import TAGS

EDGES = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
NAME = '<b>`*a*`</b> & "q" \\ \n\x00 水'
SERIES = Series(NAME, EDGES, EDGES, EDGES, EDGES, labels=tuple("abcdefg"))
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

BLOCKS = (
    Text("One.\n\nTwo `code`."),
    KeyFigures((KeyFigure(NAME, 1.5, "eV", 0.1, "note", 6), *(KeyFigure("x", value) for value in EDGES)), title="Key"),
    KeyFigures((KeyFigure("n", 10**15), KeyFigure("group", "P 1"))),
    Table(
        (
            Column("NaN", kind="text"),
            Column("E", "eV", precision=3, uncertainty="s"),
            Column("s"),
            Column("n", kind="integer"),
        ),
        [("NaN", math.nan, math.inf, 3), (None, None, None, None), (NAME, 0.1, -0.0, -(2**53) - 1)],
        title="T",
        caption="C",
    ),
    Table((), ()),
    Links((Link("a/b.csv", "all"),), "Files"),
    Curve(title=NAME, series=(SERIES, Series("", [], [])), x=Axis("x", "eV", "log"), caption="C"),
    Scatter(title="S", series=(SERIES,), identity=True),
    Scatter(title="big", series=(Series("", np.linspace(0, 1, 999), np.geomspace(1e-300, 1e300, 999)),)).thinned(500),
    Hexbin.of(Scatter(title="X", series=(Series("", [1, 2], [3, 4]),))),
    Histogram.of("H", {"a": EDGES, "b": []}, Axis("e")),
    Bars(title="B", labels=("a", "b"), series=(Heights("", [1, math.nan], [0.1, math.inf]), Heights("none", [0, 0]))),
    HeatMap(title="M", values=[[1, math.nan]], rows=("r",), at_x=[1, 2], centre=0.5),
    HeatMap(title="M", values=np.zeros((0, 4))),
    Points3D(title="P", points=np.zeros((0, 3)), molecule=Molecule([8], [[0, 0, 0]])),
    Points3D(title="P", points=np.random.default_rng(0).normal(size=(200, 3)), values=np.arange(200)),
    Surface3D(title="U", vertices=np.eye(3), triangles=[[0, 1, 2]], values=[1, math.inf, 0], centre=-1.0),
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_every_block_survives(block: Any) -> None:
    """Reading gives back an equal report, and writing that gives the same bytes."""
    report = Report("R", (Section("S", (block,)),), "Sum.", {NAME: NAME}, WHEN)
    content = to_json(report)
    assert from_json(content) == report
    assert to_json(from_json(content)) == content
    assert to_text(from_json(content)) == to_text(report)


def test_every_kind_of_block_is_tried() -> None:
    """The family above leaves no kind of block out."""
    assert {type(block) for block in BLOCKS} == set(TAGS.values())


@given(st.lists(st.floats(width=64)), st.booleans())
def test_floats_survive_bit_for_bit(values: list[float], long: bool) -> None:
    """Every float64 comes back, as a list or as base64 (any NaN as NaN)."""
    array = np.array(values * (READABLE if long else 1), dtype=np.float64)
    back = unpack(msgspec.json.decode(to_json_value(pack(array)))).astype(np.float64)
    assert np.array_equal(array, back, equal_nan=True)
    assert np.array_equal(np.signbit(array[~np.isnan(array)]), np.signbit(back[~np.isnan(back)]))


def to_json_value(packed: object) -> bytes:
    """As `to_json` writes a part of a report."""
    from atomloom.report.codec import _written

    return _written(packed, " ").encode()


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CELLS = st.floats() | st.none()


@given(NAMES, st.lists(st.tuples(NAMES | st.none(), CELLS, st.integers(-(2**63), 2**63 - 1) | st.none())), NAMES)
def test_any_table_survives(title: str, rows: list[Any], note: str) -> None:
    """Names and cells of any kind come back as they were."""
    columns = (Column(note, kind="text"), Column("E"), Column("n", kind="integer"))
    report = Report(title, (Section(note, (Table(columns, rows, title=title), Text(note))),), note, {note: title}, WHEN)
    assert from_json(to_json(report)) == report


def test_small_reports_can_be_read_by_people_and_by_browsers() -> None:
    """Short arrays are lists on one line, a table has a line per row, and the JSON is strict."""
    table = Table((Column("a", kind="text"), Column("E", "eV")), [("ALA", 0.5), ("GLY", math.nan)])
    curve = Curve(title="Loss", series=(Series("train", [1, 2], [0.5, math.inf]),))
    text = to_json(Report("R", (Section("S", (table, curve)),), created=WHEN)).decode()
    assert '"rows": [["ALA", 0.5], ["GLY", "NaN"]]' in text
    assert '"x": [1.0, 2.0], "y": [0.5, "Infinity"]' in text
    assert json.loads(text, parse_constant=pytest.fail)["created"] == "2026-01-02T03:04:05Z"


def test_long_arrays_are_compact() -> None:
    """A hundred thousand points cost little more than the four thirds of their bytes that base64 needs."""
    x = np.random.default_rng(0).normal(size=100_000)
    report = Report("R", (Section("S", (Curve(title="", series=(Series("", x, x),)),)),))
    assert len(to_json(report)) < 1.01 * 2 * x.nbytes * 4 / 3


def test_newer_minor_versions_are_read_and_their_blocks_kept() -> None:
    """An unknown block comes back verbatim, an unknown field is dropped, and the text says what cannot be shown."""
    block = {"type": "violin", "title": "V", "values": [1, "NaN", None, {"deep": ""}], "empty": []}
    known = {"type": "text", "text": "Hello", "font": "serif"}
    sections = [{"title": "S", "blocks": [block, known]}]
    report = from_json(document(version="1.7", sections=sections, mood="good"))
    assert list(report.blocks) == [Unknown("violin", block), Text("Hello")]
    assert json.loads(to_json(report))["sections"][0]["blocks"][0] == block
    assert "A block of the kind 'violin' stands here" in to_text(report)


def document(**parts: Any) -> bytes:
    """A report.json with these parts, which may be anything."""
    head = {"format": "atomloom-report", "version": "1.0", "title": "R"}
    return json.dumps(head | parts).encode()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "it is not JSON"),
        (b'{"title": ', "it is not JSON"),
        (b"[]", 'it does not say "format": "atomloom-report"'),
        (b'{"format": "other"}', 'it does not say "format": "atomloom-report"'),
        (b'{"format": "atomloom-report"}', "its version is '' instead of two numbers"),
        (b'{"format": "atomloom-report", "version": "2.0"}', "its format is version 2.0, and this atomloom knows 1.0"),
        (b'{"format": "atomloom-report", "version": "1.0"}', "missing required field `title`"),
        (document(sections=3), "a part of it is not what it should be"),
        (document(sections=[{}]), "a part of it is not what it should be"),
        (document(sections=[{"title": "S", "blocks": [7]}]), "a part of it is not what it should be"),
        (document(created="yesterday"), "a part of it is not what it should be"),
    ],
)
def test_other_files_are_refused(content: bytes, found: str) -> None:
    """What is no report of ours is refused with what was found and what to do."""
    with pytest.raises(DataError) as caught:
        from_json(content)
    assert found in str(caught.value)
    assert str(caught.value).startswith("Cannot read the report: ")


@pytest.mark.parametrize(
    "array",
    [
        {"base64": "AAAA", "dtype": "<f8", "shape": [1]},
        {"base64": "AAAAAAAA8D8=", "dtype": "|O", "shape": [1]},
        {"base64": "AAAAAAAA8D8=", "dtype": "<f8", "shape": [10**12]},
        {"base64": "no base64!", "dtype": "<f8", "shape": [1]},
        {"base64": "AAAAAAAA8D8=", "shape": [1]},
        {"base64": 3, "dtype": "<f8", "shape": "x"},
        [1, "two"],
        [[1], [1, 2]],
        [None],
        "text",
        None,
        {},
    ],
)
def test_damaged_arrays_are_refused(array: object) -> None:
    """Whatever stands in the place of an array, the answer is an error for people."""
    series = {"name": "a", "x": array, "y": [1.0]}
    block = {"type": "curve", "title": "C", "series": [series]}
    with pytest.raises(DataError, match="Cannot"):
        from_json(document(sections=[{"title": "S", "blocks": [block]}]))
