"""What the installed plugins bring, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from atomloom.registry import Contribution, registry, resolve

from .markdown import code, table, words
from .options import rows_of

Columns = Mapping[str, Callable[[Any], str]]

COLUMNS: Mapping[str, Columns] = {
    "readers": {"files": lambda spec: words(spec.matches.globs), "fields": lambda spec: words(spec.provides)},
    "writers": {"files": lambda spec: words(spec.matches.globs)},
    "harmonizers": {"needs": lambda spec: words(spec.needs), "gives": lambda spec: words(spec.gives)},
    "models": {"reads": lambda spec: words(spec.needs), "predicts": lambda spec: words(spec.predicts)},
    "losses": {"compares": lambda spec: words(spec.needs), "backends": lambda spec: ", ".join(spec.backends)},
    "postprocessors": {"needs": lambda spec: words(spec.needs)},
    "backends": {},
    "demos": {},
    "renderers": {"writes": lambda spec: code(spec.suffix)},
}
"""Of each kind that is listed, the columns between name and plugin."""

REMARKS: Columns = {
    "Backend": lambda spec: code(spec.backend),
    "Losses unless an experiment names its own": lambda spec: words(f"{k} = {v:g}" for k, v in spec.losses.items()),
    "Claims": lambda spec: ", ".join(sorted(spec.claims)),
}
"""What is said about a model below the table."""


def contributions(kind: str) -> str:
    """All contributions of a kind, and the options of those that have some."""
    found = registry().all(kind)
    if not found:
        return f"No installed plugin brings {kind}.\n"
    columns = COLUMNS[kind]
    rows = [
        (code(each.spec.name), each.spec.summary, *(cell(each.spec) for cell in columns.values()), each.plugin)
        for each in found
    ]
    listed = table(("name", "what", *columns, "plugin"), rows)
    return "\n".join([listed, *_options(found)])


def _options(found: tuple[Contribution, ...]) -> Iterator[str]:
    for each in found:
        reference = getattr(each.spec, "config", "") or getattr(each.spec, "training", "")
        if isinstance(reference, str) and reference:
            yield f"### {each.spec.name}\n"
            if each.kind == "models":
                yield " ".join(f"{what}: {say(each.spec) or 'none'}." for what, say in REMARKS.items()) + "\n"
            yield table(("option", "what", "values", "default"), rows_of(resolve(reference)))


def fields(_: str) -> str:
    """All fields of the data contract."""
    rows = [
        (code(spec.name), spec.doc or spec.summary, " ".join(spec.dims), spec.unit, spec.dtype, words(spec.aliases))
        for spec in (each.spec for each in registry().all("fields"))
    ]
    return table(("field", "what", "axes", "unit", "type", "also known as"), rows)


def plugins(_: str) -> str:
    """The installed plugins and what each brings."""
    known = registry()
    rows = []
    for each in known.plugins:
        brought = known.brought_by(each.name)
        names = [
            f"{kind}: {words(found.spec.name for found in brought if found.kind == kind)}"
            for kind in COLUMNS
            if any(found.kind == kind for found in brought)
        ]
        rows.append((f"**{each.name}**", f"`{each.distribution}` {each.version}", "; ".join(names)))
    return table(("plugin", "distribution", "brings"), rows)
