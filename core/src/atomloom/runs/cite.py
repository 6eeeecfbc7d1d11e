"""What a run's user should cite: atomloom, and the literature behind everything that the run used.

>>> used = [{"kind": "models", "name": "ridge", "plugin": "core", "bibtex": ["@book{k, title={Ridges}, year=1970}"]}]
>>> [entry.key for entry in entries({"used": used})]
['atomloom', 'k']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomloom.runs import bibtex
from atomloom.runs.versions import own_version

STYLES = ("bibtex", "text")
"""The ways in which a bibliography can be written."""

_OWN = """@software{{atomloom,
  author = {{{{The atomloom developers}}}},
  title = {{atomloom: read, harmonise, fit and judge molecular and crystallographic data}},
  version = {{{version}}}
}}"""


def entries(provenance: Mapping[str, Any]) -> list[bibtex.Entry]:
    """The entries to cite for a run, atomloom's own first, each once.

    Args:
        provenance: of the run; ``used`` lists what it used as ``{kind, name, plugin, bibtex}``.
    """
    version = provenance.get("versions", {}).get("atomloom", own_version())
    found = bibtex.parse(_OWN.format(version=version))
    for one in provenance.get("used", ()):
        found += [entry for text in _texts(one.get("bibtex")) for entry in bibtex.parse(text)]
    return bibtex.merged(found)


def bibliography(provenance: Mapping[str, Any], style: str = "bibtex") -> str:
    """The same as text: BibTeX, or with ``style="text"`` a list of references for people."""
    if style == "text":
        return "".join(f"{entry.as_text()}\n" for entry in entries(provenance))
    return "\n\n".join(entry.source for entry in entries(provenance)) + "\n"


def used(kind: str, spec: Any, plugin: str) -> dict[str, Any]:
    """How provenance remembers that a run used a contribution.

    Args:
        kind: ``"models"``, ``"readers"``, ...
        spec: its spec; name and citations are taken from it.
        plugin: the name of the plugin that brought it.
    """
    return {"kind": kind, "name": spec.name, "plugin": plugin, "bibtex": list(_texts(spec.cite))}


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
