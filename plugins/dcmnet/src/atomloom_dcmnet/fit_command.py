"""``atomloom dcmnet fit``: the charges of one molecule from its own potential, or from those of several conformers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import DataOptions, data_options, read_data, watched
from atomloom.cli.output import echo_json, json_option, note, table

if TYPE_CHECKING:
    from atomloom_dcmnet.fits import Fit


@click.command()
@click.argument("path")
@click.option(
    "--sites-per-atom", type=click.IntRange(min=1), default=2, show_default=True, help="Charges of each atom."
)
@click.option(
    "--frame",
    "frames",
    type=click.IntRange(min=0),
    multiple=True,
    default=(0,),
    show_default=True,
    help="Which molecule of PATH; repeat for several conformers of it.",
)
@click.option("--all-frames", is_flag=True, help="All frames of PATH are conformers of one molecule.")
@click.option("--d-max", type=click.FloatRange(min=0, min_open=True), default=0.35, show_default=True, help="Angstrom.")
@click.option("--charge", type=float, metavar="Q", help="Of the molecule in e; else the data or the potential tell.")
@click.option("--shell", type=(float, float), metavar="LOW HIGH", help="Points between so many van der Waals radii.")
@click.option(
    "--fit-points", type=click.IntRange(min=1), default=600, show_default=True, help="The others judge the fit."
)
@click.option("--starts", type=click.IntRange(min=1), default=12, show_default=True, help="Searches that are begun.")
@click.option("--ridge", type=click.FloatRange(min=0), default=1e-4, show_default=True, help="Weight of small charges.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the points and the starts.")
@click.option("--out", metavar="FILE.json", help="Keep all that was found, for `atomloom dcmnet export`.")
@click.option("--overwrite", is_flag=True, help="Replace FILE.json if it exists.")
@data_options
@json_option
def fit(
    path: str,
    sites_per_atom: int,
    frames: tuple[int, ...],
    all_frames: bool,
    d_max: float,
    charge: float | None,
    shell: tuple[float, float] | None,
    fit_points: int,
    starts: int,
    ridge: float,
    seed: int,
    out: str | None,
    overwrite: bool,
    json_output: bool,
    **options: Any,
) -> None:
    """Fit charges near the atoms of one molecule of PATH to its electrostatic potential, without a network.

    Their sum is exact, none is further than --d-max from its atom, and the points that the fit has not seen judge it.
    Several conformers are fitted jointly: with the same charges, at the same places in axes that turn with the atoms.
    """
    import msgspec

    from atomloom.runs.atomic import atomic_file
    from atomloom_dcmnet.conformers import conformers
    from atomloom_dcmnet.direct import Search, fit_sites
    from atomloom_dcmnet.fits import told
    from atomloom_dcmnet.molecules import drawn
    from atomloom_dcmnet.targets import check_target

    target = None if out is None else check_target(Path(out), overwrite)
    with watched():
        dataset = read_data([path], DataOptions(**options)).dataset
        chosen = tuple(range(len(dataset))) if all_frames else frames
        found = conformers(dataset, chosen, charge, shell)
        points = [drawn(len(each.potential.points), fit_points, seed) for each in found.subjects]
        search = Search(sites_per_atom, d_max, starts, ridge, seed)
        seen = [each.potential.at(part.fitted) for each, part in zip(found.subjects, points, strict=True)]
        fitted = told(found, chosen, points, search, fit_sites(seen, search))
    if target is not None:
        with atomic_file(target, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(fitted)) + b"\n")
    if json_output:
        echo_json(msgspec.to_builtins(fitted))
    else:
        _show(fitted)


def _show(found: Fit) -> None:
    """What people read: the charges, and how good they are."""
    from atomloom.elements import symbol

    rows = [
        (f"{symbol(number)}{place}", *(f"{value:.5f}" for value in (charge, *xyz)))
        for place, (number, charges, places) in enumerate(zip(found.Z, found.charges, found.positions, strict=True), 1)
        for charge, xyz in zip(charges, places, strict=True)
    ]
    table(("atom", "charge (e)", "x (angstrom)", "y (angstrom)", "z (angstrom)"), rows)
    click.echo(
        f"RMSE {found.rmse_heldout:.4f} (kcal/mol)/e on {found.heldout_points} points that the fit has not seen, "
        f"{found.rmse_fit:.4f} on the {found.fit_points} of the fit; "
        f"{found.rmse_heldout_atom_charges:.4f} with one charge at each atom."
    )
    if found.conformers:
        each = [(str(one.frame), f"{one.rmse_heldout:.4f}") for one in found.conformers]
        table(("conformer", "RMSE ((kcal/mol)/e)"), each)
        note("Places are those in the first of them; they turn with the atoms.")
    if found.shell:
        low, high = found.shell
        note(f"The points lie between {low:g} and {high:g} van der Waals radii from the nearest atom.")
