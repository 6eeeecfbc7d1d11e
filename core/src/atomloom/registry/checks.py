"""What a spec has to be like, beyond its type: names that can be typed, references that can be imported later.

A plugin is checked when it is loaded, so that a slip shows in `atomloom plugins` and not in the middle of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atomloom.registry.references import well_formed
from atomloom.specs import CLAIMS, DIMS, Field, Matches, ModelSpec, RendererSpec, Spec

_PUNCTUATION = "_.+-"
_DTYPES = ("float", "float64", "int", "bool", "str")
_REFERENCES = ("example", "config", "training", "devices")
_TEXTS = ("summary", "unit", "dtype", "doc", "backend", "suffix")
_TUPLES = ("cite", "dims", "aliases", "provides", "needs", "gives", "predicts", "backends")


def complaints(spec: Spec) -> Iterator[str]:
    """What is wrong with a spec.

    >>> list(complaints(Field(name="E", dims=("frame", "atmo"))))
    ["its dims hold 'atmo', which is none of atom, component, frame, grid, pair, reflection, residue, site, xyz"]
    """
    given: Mapping[str, Any] = vars(spec)
    yield from _name(given["name"])
    yield from _types(given)
    yield from _references(given)
    if isinstance(spec, Field):
        yield from _field(spec)
    elif isinstance(spec, ModelSpec):
        yield from _outside("its claims hold", spec.claims, CLAIMS)
    elif isinstance(spec, RendererSpec) and not spec.suffix.startswith("."):
        yield f"its suffix is {spec.suffix!r}; it starts with a full stop, as '.html'"


def _name(name: object) -> Iterator[str]:
    if not isinstance(name, str) or not all(each.isalnum() or each in _PUNCTUATION for each in name):
        yield f"its name is {name!r}; use letters, digits and {' '.join(_PUNCTUATION)}"
    elif not name or name[0] in "+-.":
        yield f"its name is {name!r}; begin it with a letter"


def _types(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        if name in given and not isinstance(given[name], str):
            yield f"its {name} is {given[name]!r}, not a string"
    for name in _TUPLES:
        if name in given and not _strings(given[name]):
            yield f"its {name} is {given[name]!r}, not a tuple of strings"
    waivers = given.get("waivers", {})
    if not isinstance(waivers, Mapping) or not all(map(str.strip, map(str, waivers.values()))):
        yield f"its waivers are {waivers!r}, not a mapping of checks to written reasons"
    if "matches" in given and not isinstance(given["matches"], Matches):
        yield f"its matches is {given['matches']!r}, not an atomloom.Matches"
    elif "matches" in given and not _matches(given["matches"]):
        yield f"its matches is {given['matches']!r}; globs and holds are tuples of str, magic a tuple of bytes"


def _references(given: Mapping[str, Any]) -> Iterator[str]:
    if "load" in given and not well_formed(given["load"]):
        yield f"its load is {given['load']!r}, not of the form 'module:attribute'"
    for name in _REFERENCES:
        value = given.get(name)
        if value and not isinstance(value, Mapping) and not well_formed(value):
            yield f"its {name} is {value!r}, not of the form 'module:attribute'"


def _field(field: Field) -> Iterator[str]:
    yield from _outside("its dims hold", field.dims, DIMS)
    yield from _outside("its dtype is", (field.dtype,), _DTYPES)
    if field.dims and field.dims[0] != "frame":
        yield f"its dims are {field.dims!r}; the first is 'frame'"


def _outside(what: str, given: Any, known: Any) -> Iterator[str]:
    for word in sorted(set(given) - set(known)):
        yield f"{what} {word!r}, which is none of {', '.join(sorted(known))}"


def _matches(matches: Matches) -> bool:
    return _strings(matches.globs) and _strings(matches.holds) and _bytes(matches.magic)


def _strings(values: object) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, str) for value in values)


def _bytes(values: object) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, bytes) for value in values)
