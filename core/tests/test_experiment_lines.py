"""Keys are found on the lines where they stand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atomloom.experiment.keys import Key, parse, spell
from atomloom.experiment.lines import Lines

DOCUMENT = '''\
# a comment with [brackets] and key = 1
title = """
fake = 1
[fake]
"""
[data]
split.seed = 7  # dotted
"split" . 'train' = 0.8

[[data.source]]
path = [
    "a]b.npz",  # ]
    'c#d.npz', [1,
    2],
]
options = { keep = [1, 2], "odd key" = { deep = "}" } }

  [[data.source]]
  reader = 'npz'
  [data.source.unit]
  E = """eV\\""""""
when = 1979-05-27 07:32:00

[model]
name = \'\'\'
ridge\'\'\'\'\'
"a.b" = "\\"#"
[model.inner]
x = 1
'''

EXPECTED = {
    "title": 2,
    "data": 6,
    "data.split": 7,
    "data.split.seed": 7,
    "data.split.train": 8,
    "data.source[0]": 10,
    "data.source[0].path": 11,
    "data.source[0].path[0]": 12,
    "data.source[0].path[1]": 13,
    "data.source[0].path[2][1]": 14,
    "data.source[0].options.keep[1]": 16,
    'data.source[0].options."odd key".deep': 16,
    "data.source[1]": 18,
    "data.source[1].reader": 19,
    "data.source[1].unit": 20,
    "data.source[1].unit.E": 21,
    "data.source[1].unit.when": 22,
    "model.name": 25,
    'model."a.b"': 27,
    "model.inner.x": 29,
}


def leaves(value: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Keys and values of all that is no table or array, or an empty one."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*key, name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*key, index))
    else:
        yield key, value


def numbered(value: Any, counter: Iterator[int]) -> Any:
    """The same nesting with a leaf text of its own everywhere."""
    if isinstance(value, dict) and value:
        return {name: numbered(inner, counter) for name, inner in value.items()}
    if isinstance(value, list) and value:
        return [numbered(inner, counter) for inner in value]
    return f"leaf {next(counter)} ]}}#'=[x]"


relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
nested = st.recursive(
    st.just(""), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
documents = st.dictionaries(names, nested, max_size=5)


@pytest.mark.parametrize("key", EXPECTED)
def test_every_way_to_write_a_key_is_located(key: str) -> None:
    """Comments, dotted and quoted keys, inline tables, arrays and multi-line texts do not confuse the lines."""
    assert Lines(DOCUMENT)[parse(key)] == EXPECTED[key]


def test_every_key_of_the_document_is_located() -> None:
    """All that tomllib finds in the document has a line."""
    lines = Lines(DOCUMENT)
    assert all(key in lines for key, _ in leaves(tomllib.loads(DOCUMENT)))


@relaxed
@given(documents)
def test_every_leaf_is_on_its_line(document: dict[str, Any]) -> None:
    """Whatever tomli_w writes, each leaf is located on the line that holds it."""
    counter = iter(range(1000))
    text = tomli_w.dumps({name: numbered(value, counter) for name, value in document.items()})
    lines = text.split("\n")
    located = Lines(text)
    for key, value in leaves(tomllib.loads(text)):
        assert not isinstance(value, str) or f'"{value}"' in lines[located[key] - 1]


@relaxed
@given(documents, st.booleans())
def test_any_document_can_be_scanned(document: dict[str, Any], multiline: bool) -> None:
    """The scanner agrees with tomllib on which keys there are."""
    text = tomli_w.dumps(document, multiline_strings=multiline)
    located = Lines(text)
    assert all(key in located for key, _ in leaves(tomllib.loads(text)) if key)


@relaxed
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.integers(0, 99), min_size=1))
def test_spelled_keys_are_read_back(parts: list[str | int]) -> None:
    """`parse` undoes `spell`."""
    key = ("table", *parts)
    assert parse(spell(key)) == key


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "a b", "[0", "a[x]", "a[-1]", "a.[0]", '"a', "a[0]b"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """Malformed keys raise ValueError, which repeats them."""
    with pytest.raises(ValueError, match="is no key"):
        parse(text)


def test_a_missing_key_is_looked_for_in_its_table() -> None:
    """Keys that are not there get the line of the nearest table above."""
    lines = Lines(DOCUMENT)
    assert lines["data", "source", 1, "path"] == 18
    assert lines["losses",] == 1


def test_long_texts_take_one_pass() -> None:
    """A hundred thousand keys are located without going through the text for each."""
    text = "".join(f"key{index} = {index}\n" for index in range(100_000))
    assert Lines(text)["key99999",] == 100_000
