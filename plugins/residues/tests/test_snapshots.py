"""Profiles from stored moving averages, against the moving averages themselves and against quadrature."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom.errors import ConfigError
from atomloom_residues.profiles import gamma_of
from atomloom_residues.snapshots import Snapshot, combine, product

GAMMAS = (gamma_of(0.05), gamma_of(0.1))


def density(snapshot: Snapshot, t: np.ndarray) -> np.ndarray:
    """(gamma + 1) t^gamma / T^(gamma + 1) up to T, then nothing."""
    time, gamma = snapshot
    return np.where(t <= time, (gamma + 1) / time * (t / time) ** gamma, 0.0)


@pytest.mark.parametrize("other", [Snapshot(3.0, 2.0), Snapshot(5.0, 0.0), Snapshot(2.0, 6.0)])
def test_inner_products_are_integrals(other: Snapshot) -> None:
    """By Gauss-Legendre quadrature up to the earlier time, exact for whole exponents."""
    one = Snapshot(3.0, 4.0)
    nodes, factors = np.polynomial.legendre.leggauss(20)
    end = min(one.time, other.time)
    t = end * (nodes + 1) / 2
    integral = float((density(one, t) * density(other, t) * factors).sum() * end / 2)
    assert product(one, other) == pytest.approx(integral, rel=1e-12)


def test_a_profile_that_was_kept_comes_back() -> None:
    """To 1e-8, whichever of them it is."""
    kept = [Snapshot(time, gamma) for time in (2.0, 4.0, 6.0, 8.0) for gamma in GAMMAS]
    for place, wanted in enumerate(kept):
        assert combine(kept, wanted) == pytest.approx(np.eye(len(kept))[place], abs=1e-8)


def test_a_profile_in_between_comes_near() -> None:
    """The average of a path that was never kept so: within a per cent of its range, from eight times of two widths."""
    steps, wanted = 4000, Snapshot(8.0, gamma_of(0.075))
    t = (np.arange(steps) + 0.5) * 8.0 / steps
    path = np.sin(t) + 0.1 * t

    def average(snapshot: Snapshot) -> float:
        weights = density(snapshot, t)
        return float(weights @ path / weights.sum())

    kept = [Snapshot(float(time), gamma) for time in range(1, 9) for gamma in GAMMAS]
    found = combine(kept, wanted) @ np.array([average(each) for each in kept])
    assert found == pytest.approx(average(wanted), abs=0.01)


def test_what_cannot_have_been_kept() -> None:
    """No moving average ends before it began."""
    with pytest.raises(ConfigError, match="a time is not above zero"):
        combine([Snapshot(0.0, 1.0)], Snapshot(1.0, 1.0))
    with pytest.raises(ConfigError, match="there are none"):
        combine([], Snapshot(1.0, 1.0))
