"""What the plugin declares: examples that read, names that are found, nothing heavy imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import atomloom
from atomloom.registry import registry, resolve
from atomloom_formats import plugin

READERS = {spec.name: spec for spec in plugin.atomloom_readers()}


@pytest.mark.parametrize("name", READERS)
def test_examples_are_found_and_read(name: str, tmp_path: Path) -> None:
    """The example of each reader is recognised by its look, read, harmonised, and equals itself frame by frame."""
    source = resolve(READERS[name].example)(tmp_path)
    dataset, _ = atomloom.harmonize(atomloom.read(source))
    assert dataset.meta["reader"] == name
    assert {"Z", "R"} <= set(dataset.columns)
    for field in dataset.columns:
        frames = [dataset.take([index])[field] for index in range(len(dataset))]
        assert np.array_equal(dataset[field], np.concatenate(frames)), field


@pytest.mark.parametrize("kind", ["readers", "writers", "harmonizers"])
def test_everything_loads(kind: str) -> None:
    """Each contribution has a summary and code behind it."""
    ours = [found for found in registry().all(kind) if found.distribution == "atomloom-formats"]
    assert ours
    for found in ours:
        assert found.spec.summary
        assert callable(resolve(found.spec.load))


def test_declaring_imports_nothing_heavy() -> None:
    """Listing plugins imports neither ASE nor h5py nor numpy."""
    code = "import atomloom_formats.plugin, sys; print([m for m in ('ase', 'h5py', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
