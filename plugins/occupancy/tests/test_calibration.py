"""Standard uncertainties against the errors of simulated refinements."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom_occupancy.calibration import z_scores


@pytest.mark.slow
def test_uncertainties_with_b_freed() -> None:
    """Where B is refined too, the errors are those of the uncertainties with B freed."""
    z = z_scores(range(100), group_b="iso")
    assert 0.9 < np.sqrt(np.nanmean(z**2)) < 1.1


@pytest.mark.slow
def test_uncertainties_are_those_of_the_errors() -> None:
    """Over 1000 z-scores have a root mean square of 0.9 to 1.1, and those of each state one of 0.85 to 1.15."""
    z = z_scores(range(250))
    assert np.isfinite(z).sum() > 1000
    assert 0.9 < np.sqrt(np.nanmean(z**2)) < 1.1
    assert np.all(np.abs(np.sqrt(np.nanmean(z**2, axis=0)) - 1) < 0.15)
    assert np.nanmean(np.abs(z) < 2) == pytest.approx(0.954, abs=0.03)
