"""Every number of the certificate is there, with its tolerance, for every way of conditioning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.invariance.judging import certificate
from atomloom.report import Table

Make = Callable[..., Any]

PROMISED = {
    "permutation": {"E", "F", "mono", "D"},
    "translation": {"E", "F", "mono"},
    "rotation": {"E", "F", "mono", "D"},
    "reflection": {"E", "F", "mono", "D"},
    "padding": {"E", "F", "mono", "D"},
    "batch": {"E", "F", "mono", "D"},
    "conservative": {"F"},
    "charge": {"mono"},
}
MOLECULES, STATES = ([8, 1, 1], [8, 1], [6, 1, 1], [8, 1, 1]), ((0.0, 1), (-1.0, 1), (0.0, 3), (1.0, 2))
NOT_PROMISED = {"size-consistent": {"E", "F", "mono"}}


@pytest.mark.parametrize("conditioning", ["none", "embedding", "attention"])
def test_the_certificate_has_every_number(conditioning: str, fitted: Make, frames: Make) -> None:
    """What is promised holds; size consistency is measured and told, and not claimed."""
    potential = fitted(conditioning=conditioning, features=4, layers=1)
    some = frames([3, 2, 3, 3])
    for frame, numbers, (charge, spin) in zip(some, MOLECULES, STATES, strict=True):
        frame.update(Z=np.array(numbers), total_charge=charge, total_spin=spin)
    section = certificate(potential, Dataset.from_frames(some))
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    found: dict[str, set[str]] = {}
    for promise, field, size, tolerance, _, verdict in table.rows:
        found.setdefault(promise, set()).add(field)
        assert (size <= tolerance) == ("holds" in verdict)
        assert verdict == "holds" or promise not in PROMISED, (promise, field, size, tolerance)
    for promise, fields in (PROMISED | NOT_PROMISED).items():
        assert fields <= found[promise], promise
