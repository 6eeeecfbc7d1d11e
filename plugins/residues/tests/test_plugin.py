"""What the plugin declares: everything loads, and nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys

from atomloom.registry import registry, resolve


def test_everything_loads() -> None:
    """Each contribution has a summary, and code behind it and behind its example."""
    (ours,) = (record for record in registry().plugins if record.distribution == "atomloom-residues")
    for found in registry().brought_by(ours.name):
        assert found.spec.summary, found.spec.name
        for reference in (getattr(found.spec, "load", ""), found.spec.example):
            assert not reference or callable(resolve(reference)), reference


def test_nothing_heavy_is_imported() -> None:
    """Declaring imports no numpy, and the whole package neither jax nor torch."""
    code = "import atomloom_residues.plugin, sys; print([m for m in ('numpy', 'msgspec', 'gemmi') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
