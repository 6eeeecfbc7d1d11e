"""The part of the report that says whether the data want the parameters that were refined."""

from __future__ import annotations

import gemmi

from atomloom.report import Block, Column, Section, Table, Text
from atomloom_occupancy.evidence import Evidence, of_grouping, of_waters
from atomloom_occupancy.refining import Refined


def evidence_section(structure: gemmi.Structure, refined: Refined) -> Section:
    """Joint against separate occupancies, and waters with one of their own against full ones."""
    grouping, waters = of_grouping(structure, refined), of_waters(structure, refined)
    blocks: list[Block] = [
        _table("Joint or separate", grouping, ("joint", "separate")) or Text("No state runs over several residues."),
        _table("Waters", waters, ("full", "partial")) or Text("No water has an occupancy of its own without a letter."),
    ]
    many = sum(each.bic > 0 for each in waters)
    if many:
        said = f"{many} of {len(waters)} waters have an occupancy that BIC does not want: they may as well be full."
        blocks.append(Text(said))
    return Section("What the data want", tuple(blocks))


def _table(title: str, found: list[Evidence], names: tuple[str, str]) -> Table | None:
    """One row for each comparison; `names` are the smaller and the larger model."""
    if not found:
        return None
    return Table.of(
        [
            (Column("states", kind="text"), [each.what for each in found]),
            (Column("parameters more", kind="integer"), [each.more for each in found]),
            (Column("likelihood ratio", precision=2), [each.ratio for each in found]),
            (Column("by chance", precision=3), [each.chance for each in found]),
            (Column("BIC", precision=2), [each.bic for each in found]),
            (Column("BIC wants", kind="text"), [names[each.bic < 0] for each in found]),
        ],
        title=title,
        caption=f"BIC of the {names[1]} model less that of the {names[0]} one.",
    )
