"""What the tests of this plugin share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

import atomloom
from atomloom.cli.frame import atomloom as main

settings.register_profile("atomloom", deadline=None)
settings.load_profile("atomloom")

CORNERS = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [-0.5, -0.5, 0.5], [-0.5, 0.5, -0.5]])
DEFAULT = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def data() -> Path:
    """The small files of this plugin."""
    return Path(__file__).parents[1] / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets that ATOMLOOM_SHARED_DATA names; a test that wants it skips without it."""
    folder = Path(os.environ.get("ATOMLOOM_SHARED_DATA", DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"needs real data sets, and there is no folder '{folder}' (ATOMLOOM_SHARED_DATA names another)")
    return folder


@pytest.fixture
def molecules() -> atomloom.Dataset:
    """Three small molecules with what all formats can hold, in canonical units."""
    random = np.random.default_rng(3)
    frames = []
    for numbers, charge, multiplicity in (([8, 1, 1], 0, 1), ([1, 1], 1, 2), ([7, 1, 1, 1], 0, 3)):
        atoms = len(numbers)
        frames.append(
            {
                "Z": numbers,
                "R": CORNERS[:atoms] + random.normal(scale=0.02, size=(atoms, 3)),
                "E": -1000.0 * atoms + random.normal(),
                "F": random.normal(size=(atoms, 3)),
                "D": random.normal(size=3),
                "mono": random.normal(size=atoms),
                "total_charge": float(charge),
                "total_spin": multiplicity,
            }
        )
    return atomloom.Dataset.from_frames(frames)


@pytest.fixture
def command() -> Callable[..., Result]:
    """Runs ``atomloom`` with some arguments."""
    return lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments], prog_name="atomloom")
