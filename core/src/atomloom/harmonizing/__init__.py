"""Harmonising: from fields as a source calls them to the canonical names, axes and units, or a clear question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from atomloom.data import Dataset
from atomloom.harmonizing.checks import check_dipoles, check_frames, missing
from atomloom.harmonizing.choices import IGNORE, Choices, pairs
from atomloom.harmonizing.electrons import check_electrons
from atomloom.harmonizing.findings import Finding, HarmonizeReport
from atomloom.harmonizing.layout import lay_out
from atomloom.harmonizing.names import recognise
from atomloom.harmonizing.outliers import outliers
from atomloom.harmonizing.requirements import require
from atomloom.harmonizing.unit_rules import SAID_BY, bring_to_units, settle
from atomloom.registry import registry, resolve
from atomloom.specs import HarmonizerSpec


def harmonize(dataset: Dataset, choices: Choices | Mapping[str, Any] | None = None) -> tuple[Dataset, HarmonizeReport]:
    """The data set with its fields under their declared names, axes and units.

    First names are recognised and axes given, then every registered harmonizer runs whose needs are met, then units are
    settled and converted, and the frames are checked. Nothing is read but counts, charges and what the checks look at,
    of large data sets only some frames; all atomic numbers or grid points are read where they alone show the padding.

    Args:
        choices: the user's answers, as ``{"as": {"Q": "total_charge"}, "unit": {"E": "hartree"}}``.

    Returns:
        The harmonised data set and the report of what was decided for each field, by which rule.
    """
    chosen = Choices.of(choices)
    reading, findings = recognise(dataset, chosen)
    ignored = [name for name, meaning in chosen.meanings.items() if meaning == IGNORE]
    dataset, found = lay_out(dataset.without(*ignored), reading)
    findings += found
    fields = {name: form.field.name for name, form in reading.items()}
    chosen, dataset = chosen.renamed(fields), _said_by_field(dataset, fields)
    settled = [name for name, field in dataset.fields.items() if field.dims]
    dataset, found = _apply_rules(settle(dataset, chosen), chosen)
    findings += found
    dataset, checked = check_frames(dataset, drop_bad=chosen.drop_bad)
    with np.errstate(all="ignore"):
        dataset, found = bring_to_units(dataset, chosen, settled)
    findings += found
    with np.errstate(all="ignore"):  # huge values are told as outliers, not by numpy
        findings += [
            *checked,
            *check_electrons(dataset),
            *check_dipoles(dataset),
            *missing(dataset),
            *outliers(dataset),
        ]
    return dataset, HarmonizeReport(tuple(findings))


def _said_by_field(dataset: Dataset, fields: Mapping[str, str]) -> Dataset:
    """What a reader says of the units, by field and no longer by the names of the source."""
    said = dataset.meta.get(SAID_BY, {})
    return (
        dataset.with_meta(**{SAID_BY: {fields.get(name, name): rule for name, rule in said.items()}})
        if said
        else dataset
    )


def _apply_rules(dataset: Dataset, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """Runs each registered harmonizer once, as soon as the fields that it needs are there."""
    waiting = [found.spec for found in registry().all("harmonizers") if isinstance(found.spec, HarmonizerSpec)]
    findings: list[Finding] = []
    while ready := [spec for spec in waiting if all(name in dataset for name in spec.needs)]:
        for spec in ready:
            waiting.remove(spec)
            if all(name in dataset for name in spec.needs):
                dataset, found = resolve(spec.load)(dataset, choices=choices)
                findings += found
    return dataset, findings


__all__ = ["IGNORE", "Choices", "Finding", "HarmonizeReport", "harmonize", "pairs", "require"]
