"""The part of the report that shows model and data by resolution."""

from __future__ import annotations

import numpy as np

from atomloom.data.columns import Array
from atomloom.report import Axis, Column, Curve, Section, Series, Table
from atomloom_occupancy.refining import Fit, Refined


def shell_section(refined: Refined) -> Section:
    """R of work and free set, and the mean negative log-likelihood before and after, in each shell of the scale."""
    data, shell = refined.crystal.data, refined.crystal.lattice.shell
    likelihood = [_each(refined, fit) for fit in (refined.before, refined.after)]
    middle, rows, falls = [], [], []
    for number in range(int(shell.max()) + 1):
        mine = shell == number
        r = (_or_none(refined.after.r_factor(data, mine & chosen)) for chosen in (data.work, data.free))
        before, after = (float(np.mean(each[mine[data.work]])) for each in likelihood)
        ends = float(data.d[mine].max()), float(data.d[mine].min())
        middle.append((1 / ends[0] ** 2 + 1 / ends[1] ** 2) / 2)
        rows.append((*ends, int(mine.sum()), *r, before, after))
        falls.append(before - after)
    columns = (
        Column("from", "angstrom", precision=2),
        Column("to", "angstrom", precision=2),
        Column("reflections", kind="integer"),
        Column("R work", precision=4),
        Column("R free", precision=4),
        Column("NLL before", precision=4),
        Column("NLL after", precision=4),
    )
    caption = "NLL is the negative log-likelihood per reflection of the work set."
    x = Axis("1/d²", "1/angstrom^2")
    return Section(
        "Against the data",
        (
            Table(columns, tuple(rows), caption=caption),
            Curve(
                title="R by resolution",
                series=_series(np.array(middle), rows, {3: "work", 4: "free"}),
                x=x,
                y=Axis("R"),
            ),
            Curve(
                title="What the refinement brought",
                series=(Series("", np.array(middle), np.array(falls)),),
                x=x,
                y=Axis("fall of the NLL per reflection"),
            ),
        ),
    )


def _series(x: Array, rows: list[tuple[float | None, ...]], columns: dict[int, str]) -> tuple[Series, ...]:
    return tuple(
        Series(name, x, np.array([np.nan if row[place] is None else row[place] for row in rows], dtype=np.float64))
        for place, name in columns.items()
    )


def _each(refined: Refined, fit: Fit) -> Array:
    return fit.target.each(np.abs(fit.model[refined.crystal.data.work]))


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
