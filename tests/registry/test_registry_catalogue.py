"""The catalogue of what our distributions bring."""

from __future__ import annotations

import tomllib
from pathlib import Path

from atomloom.registry import Registry, catalogue

ROOT = Path(__file__).parents[2]


def test_catalogue_is_current() -> None:
    """For the plugins of this repository that are installed, the catalogue says what they bring, and no more."""
    projects = [tomllib.loads(file.read_text())["project"]["name"] for file in ROOT.glob("plugins/*/pyproject.toml")]
    registry = Registry()
    there = {each.distribution for each in registry.plugins} & set(projects)
    known = {
        (kind, name, home) for kind, names in catalogue.read().items() for name, home in names.items() if home in there
    }
    brought = {
        (kind, name, home)
        for kind, names in catalogue.made_from(registry).items()
        for name, home in names.items()
        if home in there
    }
    assert known == brought, "run `python -m atomloom.registry.catalogue` with all plugins installed"


def test_catalogue_is_as_the_program_writes_it() -> None:
    """The file is not edited by hand."""
    assert catalogue.PATH.read_text(encoding="utf-8") == catalogue.dumps(catalogue.read())
