"""Which of our distributions brings what, so that an unknown name can be answered with what to install.

The catalogue is a file, made from the installed ``atomloom-*`` distributions by::

    python -m atomloom.registry.catalogue
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomloom.registry import Registry

PATH = Path(__file__).with_name("catalogue.json")
_OURS = "atomloom-"

Catalogue = Mapping[str, Mapping[str, str]]


def read() -> Catalogue:
    """Kind -> name -> distribution."""
    import json

    catalogue: Catalogue = json.loads(PATH.read_text(encoding="utf-8"))
    return catalogue


def home_of(kind: str, name: str) -> str:
    """The distribution of ours that brings this, or an empty string."""
    return read().get(kind, {}).get(name, "")


def made_from(registry: Registry) -> dict[str, dict[str, str]]:
    """The catalogue of what the installed distributions of ours bring."""
    from atomloom.registry.contributions import KINDS

    catalogue: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        ours = [each for each in registry.all(kind) if each.distribution.startswith(_OURS)]
        if ours:
            catalogue[kind] = {each.spec.name: each.distribution for each in sorted(ours, key=lambda e: e.spec.name)}
    return catalogue


def dumps(catalogue: Catalogue) -> str:
    """The text of the file."""
    import json

    return json.dumps(catalogue, indent=2) + "\n"


def main() -> None:
    """Write the catalogue anew from what is installed."""
    from atomloom.registry import registry

    PATH.write_text(dumps(made_from(registry())), encoding="utf-8")


if __name__ == "__main__":
    main()
