"""The report of a refinement."""

from __future__ import annotations

from collections import defaultdict

import gemmi
import numpy as np
import pandas as pd

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Heights,
    KeyFigure,
    KeyFigures,
    Report,
    Scatter,
    Section,
    Series,
    Table,
    Text,
)
from atomloom_occupancy.checking import model_sections, problems
from atomloom_occupancy.maps import Peak
from atomloom_occupancy.page_of_shells import shell_section
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
        Section("Occupancies", _occupancies(table)),
        Section("What the data cannot tell", (_flat(refined, spread),)),
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


def _occupancies(table: pd.DataFrame) -> tuple[Block, ...]:
    def numbers(column: str) -> list[float | None]:
        return _finite(table[column])

    rows = Table.of(
        [
            (Column("state", kind="text"), table["state"]),
            (Column("atoms", kind="integer"), table["atoms"]),
            (Column("start", precision=2), table["start"]),
            (Column("occupancy", precision=3, uncertainty="esd, B fixed"), table["occupancy"]),
            (Column("esd, B fixed"), numbers("esd_b_fixed")),
            (Column("esd, B free"), numbers("esd_b_free")),
            (Column("bound", kind="text"), table["bound"]),
            (Column("low", precision=3), numbers("low")),
            (Column("high", precision=3), numbers("high")),
            (Column("goes along with", kind="text"), table["partner"]),
            (Column("correlation", precision=2), numbers("correlation")),
            *_displacements(table),
        ],
        caption="Standard uncertainties come from the Hessian on the constraints that hold; none at a bound. Low and "
        "high are ends of the profile interval of states near a bound: there the log-likelihood is 0.5 below its top.",
    )
    return (rows, *_along_chains(table), *_by_set(table))


def _displacements(table: pd.DataFrame) -> list[tuple[Column, list[float | None]]]:
    """How far the B of each state moved, where they were refined."""
    if not table["delta_b"].notna().any():
        return []
    columns = {"delta_b": "change of B", "esd_delta_b": "its esd", "correlation_with_b": "its correlation"}
    return [
        (Column(title, "" if column.startswith("c") else "angstrom^2", precision=2), _finite(table[column]))
        for column, title in columns.items()
    ]


def _finite(values: pd.Series[float]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _along_chains(table: pd.DataFrame) -> list[Block]:
    """For every chain the occupancies of its states in their order, with error bars."""
    chains: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(table["state"]):
        chains[str(name).split()[0]].append(place)
    found: list[Block] = []
    for chain, places in chains.items():
        part = table.iloc[places]
        esd = np.nan_to_num(part["esd_b_fixed"].to_numpy(dtype=np.float64))
        value, x = part["occupancy"].to_numpy(dtype=np.float64), np.arange(1, len(part) + 1)
        names = tuple(map(str, part["state"]))
        after = Series("after", x, value, value - esd, value + esd, names)
        before = Series("before", x, part["start"].to_numpy(dtype=np.float64), labels=names)
        x_axis, y_axis = Axis("state, in the order of the file"), Axis("occupancy")
        found.append(
            Scatter(title=f"Chain {chain}", series=(before, after), x=x_axis, y=y_axis, statistics=Table((), ()))
        )
    return found


def _by_set(table: pd.DataFrame) -> list[Block]:
    """Bars for the sets of three states or more."""
    found: list[Block] = []
    for name, part in table[table["set"] != ""].groupby("set", sort=False):
        if len(part) > 2:
            esd = np.nan_to_num(part["esd_b_fixed"].to_numpy(dtype=np.float64))
            heights = Heights("", part["occupancy"].to_numpy(dtype=np.float64), esd)
            bars = Bars(title=f"States of {name}", labels=tuple(part["state"]), series=(heights,), y=Axis("occupancy"))
            found.append(bars)
    return found


def _flat(refined: Refined, spread: Uncertainty) -> Block:
    if not spread.flat:
        return Text("Every occupancy that is not at a bound is determined.")
    names = [state.name for state in refined.network.states]
    rows = tuple(("; ".join(names[each] for each in direction),) for direction in spread.flat)
    caption = "Along these directions the likelihood does not change: the values there mean nothing, in any program."
    return Table((Column("states that move together", kind="text"),), rows, caption=caption)


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
