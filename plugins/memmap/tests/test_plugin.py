"""What the plugin declares: a store is known by its manifest, everything loads, nothing heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import atomloom
from atomloom.errors import UnknownName
from atomloom.registry import registry, resolve


def test_a_store_is_known_whatever_it_is_called(store: Path, tmp_path: Path) -> None:
    """Its manifest begins like no other, so that another folder with a ``manifest.json`` is not taken for one."""
    called = tmp_path / "molecules_packed"
    called.symlink_to(store)
    assert atomloom.read(called).meta["reader"] == "memmap"
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"name": "of a web page"}')
    with pytest.raises(UnknownName, match="no installed reader knows this kind of folder"):
        atomloom.read(other)


def test_everything_loads() -> None:
    """Each contribution has a summary, and code behind it and behind its example."""
    (ours,) = (record for record in registry().plugins if record.distribution == "atomloom-memmap")
    for found in registry().brought_by(ours.name):
        assert found.spec.summary, found.spec.name
        for reference in (getattr(found.spec, "load", ""), found.spec.example):
            assert not reference or callable(resolve(reference)), reference


def test_declaring_imports_nothing_heavy() -> None:
    """Listing plugins imports neither numpy nor xxhash nor msgspec."""
    code = "import atomloom_memmap.plugin, sys; print([m for m in ('numpy', 'xxhash', 'msgspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
