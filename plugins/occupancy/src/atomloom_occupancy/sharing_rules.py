"""Rules that let residues share their occupancies, altloc by altloc.

A rule is ``{"residues": [(50, "A"), (51, "A")], "share": True}``: residue numbers with chains, and whether they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from atomloom.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd


def joined_by_rules(frame: pd.DataFrame, groups: list[list[int]], rules: Sequence[dict[str, Any]]) -> list[list[int]]:
    """The groups of a table of atoms, those of the residues of one rule and of one altloc made one."""
    for rule in rules:
        _check_rule(rule)
    shared = [rule["residues"] for rule in rules if rule.get("share")]
    owner = {tuple(residue): number for number, residues in enumerate(shared) for residue in residues}
    present = set(zip(frame["resseq"], frame["chainid"], strict=True))
    missing = next((residue for residue in owner if residue not in present), None)
    if missing is not None:
        asked = f"share the occupancy of residue {missing[0]} of chain {missing[1]}"
        raise ConfigError(asked, "there is no such residue", "Correct the rule")
    merged: dict[tuple[int, str], list[int]] = {}
    kept = []
    for group in groups:
        row = frame.iloc[group[0]]
        number = owner.get((int(row["resseq"]), str(row["chainid"])))
        if number is None:
            kept.append(group)
        else:
            merged.setdefault((number, str(row["altloc"])), []).extend(group)
    return [*kept, *merged.values()]


def _check_rule(rule: dict[str, Any]) -> None:
    asked, todo = f"use the sharing rule {rule!r}", 'Write {"residues": [(50, "A"), (51, "A")], "share": True}'
    if not {"residues"} <= rule.keys() <= {"residues", "share"}:
        raise ConfigError(asked, "it has not the keys 'residues' and 'share' alone", todo)
    if not all(isinstance(each, tuple | list) and len(each) == 2 for each in rule["residues"]):
        raise ConfigError(asked, "its residues are not pairs of a number and a chain", todo)
