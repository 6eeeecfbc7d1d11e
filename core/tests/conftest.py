"""What all tests of core share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines that run many jobs at once make single examples slow now and then.
settings.register_profile("atomloom", deadline=None)
settings.load_profile("atomloom")

DEFAULT = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets that ATOMLOOM_SHARED_DATA names; a test that wants it skips without it."""
    folder = Path(os.environ.get("ATOMLOOM_SHARED_DATA", DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"needs real data sets, and there is no folder '{folder}' (ATOMLOOM_SHARED_DATA names another)")
    return folder
