"""What a reader leaves out, and how the user hears of it.

A field that only some frames of a file have cannot be a column. Readers of this package leave it out and say so in
``meta["left_out"]``, a mapping of its name to the reason; the harmonizer below makes each a warning of the report.
"""

from __future__ import annotations

from collections.abc import Mapping

from atomloom.data import Dataset
from atomloom.harmonizing import Choices, Finding

KEY = "left_out"
"""Where in ``Dataset.meta`` the reasons are."""


def report(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """A warning for each field that the reader left out; the data set is returned as it is."""
    reasons = dataset.meta.get(KEY, {})
    if not isinstance(reasons, Mapping):
        return dataset, []
    return dataset, [Finding(name, name, "left out", str(reason), "warning") for name, reason in reasons.items()]


def example() -> Dataset:
    """A data set whose reader left something out, for the conformance kit."""
    return Dataset.from_arrays({"E": [-2079.1, -31.7]}, meta={KEY: {"F": "frame 1 has none"}})
