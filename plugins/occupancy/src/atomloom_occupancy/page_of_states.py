"""The part of the report on the states: their table, plots along chains, bars of networks."""

from __future__ import annotations

from collections import defaultdict

import gemmi
import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from atomloom.report import Axis, Bars, Block, Column, Heights, Scatter, Section, Series, Table
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import atoms_of

MANY = 3
"""A set is a network where it has this many states, or residues, or where it shares a state with another set."""


def state_section(structure: gemmi.Structure, network: Network, table: pd.DataFrame) -> Section:
    """The table of states, their occupancies along every chain, and those of every network of states.

    Args:
        structure: the model.
        network: its states.
        table: see `result_table`.
    """

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
    return Section("Occupancies", (rows, *_along_chains(table), *_of_networks(structure, network, table)))


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


def _of_networks(structure: gemmi.Structure, network: Network, table: pd.DataFrame) -> list[Block]:
    """Bars for every network."""
    found: list[Block] = []
    for states in _networks(structure, network):
        part = table.iloc[states]
        esd = np.nan_to_num(part["esd_b_fixed"].to_numpy(dtype=np.float64))
        heights = Heights("", part["occupancy"].to_numpy(dtype=np.float64), esd)
        title = f"States with {network.states[states[0]].name}"
        found.append(Bars(title=title, labels=tuple(part["state"]), series=(heights,), y=Axis("occupancy")))
    return found


def _networks(structure: gemmi.Structure, network: Network) -> list[list[int]]:
    """The states of sets that are tied to each other, where these are many."""
    if not network.sets:
        return []
    member = np.zeros((len(network.sets), len(network.states)), dtype=np.int64)
    for number, each in enumerate(network.sets):
        member[number, list(each.states)] = 1
    _, owner = connected_components(member @ member.T, directed=False)
    atoms, found = atoms_of(structure), []
    for number in range(int(owner.max()) + 1):
        states = np.flatnonzero(member[owner == number].any(axis=0)).tolist()
        cras = [atoms[atom] for state in states for atom in network.states[state].atoms]
        residues = {(cra.chain.name, str(cra.residue.seqid)) for cra in cras}
        if max(len(states), len(residues)) >= MANY:
            found.append(states)
    return found
