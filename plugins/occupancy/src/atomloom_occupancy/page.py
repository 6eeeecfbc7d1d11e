"""The report of a refinement."""

from __future__ import annotations

import gemmi
import pandas as pd

from atomloom.report import Block, Column, KeyFigure, KeyFigures, Report, Section, Table, Text
from atomloom_occupancy.checking import model_sections, problems
from atomloom_occupancy.flat_directions import in_words
from atomloom_occupancy.maps import Peak
from atomloom_occupancy.page_of_shells import shell_section
from atomloom_occupancy.page_of_states import state_section
from atomloom_occupancy.refining import Fit, Refined
from atomloom_occupancy.uncertainty import Uncertainty


def page(
    name: str,
    structure: gemmi.Structure,
    refined: Refined,
    results: tuple[pd.DataFrame, Uncertainty],
    near: list[Peak],
    more: tuple[Section, ...] = (),
) -> Report:
    """What was refined, how well it is determined, and what the data leave open.

    Args:
        name: of the model.
        structure: as it was read.
        refined: the refinement.
        results: the table of states and their uncertainties.
        near: peaks of the difference map.
        more: further sections.
    """
    table, spread = results
    data = refined.crystal.data
    work = refined.after.r_factor(data, data.work), refined.after.r_factor(data, data.free)
    fall = refined.before.negative_log_likelihood - refined.after.negative_log_likelihood
    summary = (
        f"{len(table)} states of {name} in {len(refined.network.sets)} sets against {len(data)} reflections: "
        f"R {work[0]:.4f} (work) and {work[1]:.4f} (free), the negative log-likelihood lower by {fall:.2f}."
    )
    if spread.flat:
        summary += f" The data leave {len(spread.flat)} direction{'s' * (len(spread.flat) != 1)} open."
    sections = (
        Section("In short", (_key_figures(refined), Text("\n\n".join((*data.notes, *refined.network.notes))))),
        state_section(structure, refined.network, table),
        Section("What the data cannot tell", (_flat(structure, refined, spread),)),
        *more,
        shell_section(refined),
        Section("Near the refined atoms", (_peaks(near),)),
        *model_sections(structure, problems(structure)),
    )
    facts = {"model": name, "cell": " ".join(f"{x:g}" for x in data.cell.parameters), "space group": data.group.xhm()}
    return Report(f"Occupancies of {name}", sections, summary, facts)


def _key_figures(refined: Refined) -> Block:
    data = refined.crystal.data

    def figures(title: str, fit: Fit) -> tuple[KeyFigure, ...]:
        return (
            KeyFigure("R work", fit.r_factor(data, data.work), note=title),
            KeyFigure("R free", fit.r_factor(data, data.free), note=title),
            KeyFigure("Negative log-likelihood", fit.negative_log_likelihood, digits=8, note=f"{title}, work set"),
        )

    cycles = KeyFigure("Outer cycles", refined.cycles)
    return KeyFigures((*figures("before", refined.before), *figures("after", refined.after), cycles))


def _flat(structure: gemmi.Structure, refined: Refined, spread: Uncertainty) -> Block:
    if not spread.flat:
        return Text("Every occupancy that is not at a bound is determined.")
    rows = tuple((in_words(structure, refined.network, direction),) for direction in spread.flat)
    caption = "Along these directions the likelihood does not change: the values there mean nothing, in any program."
    return Table((Column("open direction", kind="text"),), rows, caption=caption)


def _peaks(near: list[Peak]) -> Block:
    if not near:
        return Text("The difference map is empty.")
    return Table.of(
        [
            (Column("near atom", kind="text"), [peak.atom for peak in near]),
            (Column("height", "rms", precision=2), [peak.height for peak in near]),
            (Column("distance", "angstrom", precision=2), [peak.distance for peak in near]),
        ],
        title="Strongest peaks of the Fo-Fc map",
    )
