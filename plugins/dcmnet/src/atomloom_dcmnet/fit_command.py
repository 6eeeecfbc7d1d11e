"""``atomloom dcmnet fit``: the charges of one molecule from its own potential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import DataOptions, data_options, read_data, watched
from atomloom.cli.output import echo_json, json_option, note, table

if TYPE_CHECKING:
    from atomloom_dcmnet.direct import Search, Sites
    from atomloom_dcmnet.molecules import Drawn, Subject


@click.command()
@click.argument("path")
@click.option(
    "--sites-per-atom", type=click.IntRange(min=1), default=2, show_default=True, help="Charges of each atom."
)
@click.option("--frame", type=click.IntRange(min=0), default=0, show_default=True, help="Which molecule of PATH.")
@click.option("--d-max", type=click.FloatRange(min=0, min_open=True), default=0.35, show_default=True, help="Angstrom.")
@click.option("--charge", type=float, metavar="Q", help="Of the molecule in e; else the data or the potential tell.")
@click.option("--shell", type=(float, float), metavar="LOW HIGH", help="Points between so many van der Waals radii.")
@click.option(
    "--fit-points", type=click.IntRange(min=1), default=600, show_default=True, help="The others judge the fit."
)
@click.option("--starts", type=click.IntRange(min=1), default=12, show_default=True, help="Searches that are begun.")
@click.option("--ridge", type=click.FloatRange(min=0), default=1e-4, show_default=True, help="Weight of small charges.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the points and the starts.")
@data_options
@json_option
def fit(
    path: str,
    sites_per_atom: int,
    frame: int,
    d_max: float,
    charge: float | None,
    shell: tuple[float, float] | None,
    fit_points: int,
    starts: int,
    ridge: float,
    seed: int,
    json_output: bool,
    **options: Any,
) -> None:
    """Fit charges near the atoms of one molecule of PATH to its electrostatic potential, without a network.

    Their sum is exact, none is further than --d-max from its atom, and the points that the fit has not seen judge it.
    """
    from atomloom_dcmnet.direct import Search, fit_sites
    from atomloom_dcmnet.molecules import drawn, subject

    with watched():
        found = subject(read_data([path], DataOptions(**options)).dataset, frame, charge, shell)
        points = drawn(len(found.potential.points), fit_points, seed)
        search = Search(sites_per_atom, d_max, starts, ridge, seed)
        sites = fit_sites(found.potential.at(points.fitted), search)
    summary = _summary(found, points, search, sites)
    if json_output:
        echo_json(summary)
    else:
        _show(found, summary)


def _summary(subject: Subject, points: Drawn, search: Search, sites: Sites) -> dict[str, Any]:
    """Everything that was found, as plain data."""
    import numpy as np

    from atomloom_dcmnet.linear import fit_charges, matrix, root_mean_square

    judged, seen = subject.potential.at(points.held_out), subject.potential.at(points.fitted)
    centred = fit_charges(seen.points, seen.values, seen.positions, seen.total, search.ridge).charges
    apart = np.linalg.norm(sites.places - subject.potential.positions[:, None], axis=2)
    return {
        "rmse_heldout": root_mean_square(sites.error(judged)),
        "rmse_fit": sites.rmse,
        "rmse_heldout_atom_charges": root_mean_square(
            matrix(judged.points, judged.positions) @ centred - judged.values
        ),
        "unit": "(kcal/mol)/e",
        "sites_per_atom": search.sites,
        "d_max": search.d_max,
        "largest_displacement": float(apart.max()),
        "total_charge": seen.total,
        "sum_of_charges": float(sites.charges.sum()),
        "fit_points": len(points.fitted),
        "heldout_points": len(points.held_out),
        "shell": subject.shell,
        "Z": subject.numbers.tolist(),
        "charges": sites.charges.tolist(),
        "positions": sites.places.tolist(),
    }


def _show(subject: Subject, summary: dict[str, Any]) -> None:
    """What people read: the charges, and how good they are."""
    from atomloom.elements import symbol

    rows = [
        (f"{symbol(int(number))}{place}", *(f"{value:.5f}" for value in (charge, *xyz)))
        for place, (number, charges, places) in enumerate(
            zip(subject.numbers, summary["charges"], summary["positions"], strict=True), 1
        )
        for charge, xyz in zip(charges, places, strict=True)
    ]
    table(("atom", "charge (e)", "x (angstrom)", "y (angstrom)", "z (angstrom)"), rows)
    click.echo(
        f"RMSE {summary['rmse_heldout']:.4f} (kcal/mol)/e on {summary['heldout_points']} points that the fit has not "
        f"seen, "
        f"{summary['rmse_fit']:.4f} on the {summary['fit_points']} of the fit; "
        f"{summary['rmse_heldout_atom_charges']:.4f} with one charge at each atom."
    )
    if summary["shell"]:
        low, high = summary["shell"]
        note(f"The points lie between {low:g} and {high:g} van der Waals radii from the nearest atom.")
