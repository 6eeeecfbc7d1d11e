"""``atomloom dcmnet export``: charges in files of CHARMM and OpenMM, and their potential in a cube file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import DataOptions, data_options, read_data, runs_option, watched
from atomloom.cli.output import note

if TYPE_CHECKING:
    from atomloom.data import Dataset
    from atomloom_dcmnet.exported import Molecule


@click.command()
@click.argument("source", metavar="RUN|FIT.json|FILE.mdcm")
@click.option("--to", "kind", type=click.Choice(["mdcm", "openmm", "cube"]), required=True, help="What to write.")
@click.option("--out", required=True, metavar="FILE", help="The file to write.")
@click.option("--data", metavar="PATH", help="Where the geometry is; a fit has its own.")
@click.option("--frame", type=click.IntRange(min=0), default=0, show_default=True, help="Which frame of PATH.")
@click.option("--residue", default="MOL", show_default=True, metavar="NAME", help="mdcm: name of the residue.")
@click.option("--copies", type=click.IntRange(min=1), default=1, show_default=True, help="openmm: molecules.")
@click.option(
    "--spacing", type=click.FloatRange(min=0, min_open=True), default=0.2, show_default=True, help="cube: angstrom."
)
@click.option(
    "--margin", type=click.FloatRange(min=0), default=4.0, show_default=True, help="cube: angstrom around the atoms."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@runs_option
@data_options
def export(
    source: str,
    kind: str,
    out: str,
    data: str | None,
    frame: int,
    residue: str,
    copies: int,
    spacing: float,
    margin: float,
    overwrite: bool,
    root: str,
    **options: Any,
) -> None:
    """Write the charges of a fit, of a run for one geometry, or of a file of CHARMM, for other programs.

    For CHARMM and OpenMM they are fixed in axes that turn with the atoms: those of a network are then the charges of
    the one geometry that they were predicted for. A System of OpenMM holds their electrostatics alone, between
    molecules; a cube file holds the potential in hartree/e.
    """
    from atomloom_dcmnet.exported import write_charmm, write_cube, write_openmm
    from atomloom_dcmnet.targets import check_target

    target = check_target(Path(out), overwrite)
    with watched():
        dataset = read_data([data], DataOptions(**options)).dataset if data else None
        molecule = _molecule(source, dataset, frame, root)
        if kind == "mdcm":
            write_charmm(molecule, target, residue)
        elif kind == "openmm":
            write_openmm(molecule, target, copies)
        else:
            write_cube(molecule, target, spacing, margin)
    note(f"{len(molecule.charges)} charges of {len(molecule.numbers)} atoms are in '{target}'.")


def _molecule(source: str, dataset: Dataset | None, frame: int, root: str) -> Molecule:
    """The charges of what `source` names: a file by its suffix, or else a run."""
    from atomloom.runs import Run
    from atomloom.runs.history import find
    from atomloom_dcmnet.exported import DCM_FILES, FIT_FILES, of_file, of_fit, of_run

    path = Path(source)
    if path.is_file() and path.suffix in FIT_FILES:
        return of_fit(path, dataset, frame)
    if path.is_file() and path.suffix in DCM_FILES:
        return of_file(path, dataset, frame)
    return of_run(Run.open(find(source, Path(root)).path), dataset, frame)
