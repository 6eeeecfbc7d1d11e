"""What `pip install --find-links dist atomloom-NAME` brings to an empty environment: what is declared, no more."""

from __future__ import annotations

import subprocess
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FOLDERS = {"atomloom": ROOT / "core"} | {
    f"atomloom-{path.parent.name}": path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
}
CORE_NEEDS = {"click", "importlib-metadata", "msgspec", "numpy", "pluggy", "rich", "safetensors", "tomli-w"}
HEAVY = ("torch", "jax", "jaxlib", "flax", "optax", "gemmi", "pandas", "h5py", "ase", "matplotlib", "plotly")

REACHED = {"jax": ("jaxlib",), "ase": ("matplotlib",)}
"""What libraries that ours declare need themselves."""


def project(name: str) -> dict[str, Any]:
    """The ``[project]`` table behind a distribution."""
    table: dict[str, Any] = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def canonical(name: str) -> str:
    """A distribution's name as comparisons want it."""
    return name.lower().replace("_", "-").replace(".", "-")


def closure(wanted: Iterable[str], needs: Mapping[str, Iterable[str]]) -> set[str]:
    """Every distribution that the wanted requirements reach through ``needs`` (name -> Requires-Dist)."""
    pending, seen = [Requirement(text) for text in wanted], set[tuple[str, str]]()
    while pending:
        requirement = pending.pop()
        name = canonical(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            reached = map(Requirement, needs[name])
            pending += [each for each in reached if not each.marker or each.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def test_closure_follows_extras_and_markers() -> None:
    """The reference of the tests below walks extras that are asked for, and skips markers that do not hold."""
    needs = {
        "a": ["b[fast]", 'never; python_version < "3"', 'x; extra == "other"'],
        "b": ["c", 'd; extra == "fast"'],
        "c": ["a"],
        "d": [],
    }
    assert closure(["a"], needs) == {"a", "b", "c", "d"}


def test_core_declares_its_eight_libraries() -> None:
    """Core's runtime dependencies are the ones it promises, and no others."""
    assert {canonical(Requirement(text).name) for text in project("atomloom")["dependencies"]} == CORE_NEEDS


def test_core_brings_only_what_it_declares(empty_environment: Callable[[], Any]) -> None:
    """An empty environment with core installed holds core, the closure of its requirements, and a command that runs."""
    environment = empty_environment()
    environment.install("atomloom")
    needs = {canonical(name): found.requires or [] for name, found in environment.installed.items()}
    assert set(needs) == closure(["atomloom"], needs)
    said = subprocess.run([environment.folder / "bin" / "atomloom", "--version"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert environment.installed["atomloom"].version in said.stdout


@pytest.mark.parametrize("name", FOLDERS)
def test_brings_what_it_declares(name: str, empty_environment: Callable[[], Any]) -> None:
    """A distribution resolves to the closure of its requirements, which are those of its pyproject.toml."""
    metadata = empty_environment().would_install(name)
    needs = {canonical(found): table.get("requires_dist", []) for found, table in metadata.items()}
    assert set(needs) == closure([name], needs)
    declared = {canonical(Requirement(text).name) for text in project(name).get("dependencies", [])}
    built = {canonical(each.name) for each in map(Requirement, needs[name]) if "extra" not in str(each.marker)}
    assert built == declared


@pytest.mark.parametrize("name", FOLDERS)
def test_brings_nothing_heavy_undeclared(name: str, empty_environment: Callable[[], Any]) -> None:
    """torch, jax and their like come along only where the distribution or one of ours that it needs declares them."""
    brought = {canonical(found) for found in empty_environment().would_install(name)}
    ours = brought & set(FOLDERS)
    declared = {canonical(Requirement(text).name) for each in ours for text in project(each).get("dependencies", [])}
    reached = {each for library in declared for each in REACHED.get(library, ())}
    surprises = (brought & set(HEAVY)) - declared - reached
    assert not surprises, f"{name} brings {', '.join(sorted(surprises))} and nothing of ours declares it"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FOLDERS if name != "atomloom"])
def test_installs_alone(name: str, empty_environment: Callable[[], Any]) -> None:
    """In an environment with nothing but a plugin and what it declares, the plugin is found and loads."""
    environment = empty_environment()
    environment.install(name)
    needs = {canonical(found): each.requires or [] for found, each in environment.installed.items()}
    assert set(needs) == closure([name], needs)
    command = [environment.folder / "bin" / "atomloom", "plugins", "why", name.removeprefix("atomloom-")]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("name", FOLDERS)
def test_wheel_holds_what_the_tree_holds(name: str, dist: Path) -> None:
    """A wheel has every file of the package, data and py.typed included, and no tests."""
    source = FOLDERS[name] / "src"
    tree = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    expected = {
        path.as_posix() for path in tree if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    }
    with zipfile.ZipFile(next(dist.glob(f"{name.replace('-', '_')}-[0-9]*.whl"))) as wheel:
        packed = {path for path in wheel.namelist() if ".dist-info/" not in path}
    assert packed == expected
    assert any(path.endswith("/py.typed") for path in packed)


def test_dist_holds_one_wheel_each(dist: Path) -> None:
    """Neither a stale wheel nor a missing one: dist/ is what the tree builds now."""
    built = sorted(canonical(wheel.name.split("-")[0]) for wheel in dist.glob("*.whl"))
    assert built == sorted(FOLDERS)
