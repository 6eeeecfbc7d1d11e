"""``atomloom residues errors``: force errors by residue, for forces from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import echo_json, json_option, note

if TYPE_CHECKING:
    from atomloom.data import Dataset
    from atomloom_residues.forces import Array


@click.command()
@click.option("--forces", "predicted", required=True, metavar="PRED.npz", help="An NPZ with F, the predicted forces.")
@click.option("--data", required=True, metavar="REF.npz", help="An NPZ of proteins with R and F, the reference.")
@click.option("--compare", metavar="PRED.npz", help="Predictions of another model, to compare with.")
@click.option("--prior", metavar="PRED.npz", help="Predictions of a prior by itself, to see the model's errors beside.")
@click.option("--out", default="per_residue", show_default=True, metavar="DIR", help="Where the files go.")
@click.option("--model-id", default="", metavar="ID", help="What to call the model; by default as PRED.npz is called.")
@click.option(
    "--unit", default="kcal/mol/angstrom", show_default=True, metavar="UNIT", help="Of the forces in all files."
)
@click.option("--block", type=click.IntRange(min=1), metavar="N", help="Frames in a block, instead of by correlation.")
@click.option("--structure", metavar="FILE", help="mmCIF or PDB to write the errors on.")
@click.option("--protein", default="", metavar="NAME", help="The protein that FILE is of, if there are several.")
@json_option
def errors(
    predicted: str,
    data: str,
    compare: str | None,
    prior: str | None,
    out: str,
    model_id: str,
    unit: str,
    block: int | None,
    structure: str | None,
    protein: str,
    json_output: bool,
) -> None:
    """Judge the forces in PRED.npz by those in REF.npz, by residue, with intervals.

    Frames and beads are those of REF.npz, of which masks and lengths are taken frame by frame. Where it has mean
    forces, F_mean, the noise of F is the least error that a model may have.
    """
    import numpy as np

    from atomloom.report import to_text
    from atomloom.units import convert
    from atomloom_residues.bucket_reading import union
    from atomloom_residues.forces import forces_of
    from atomloom_residues.per_residue import results_of
    from atomloom_residues.residue_errors import Options, plain
    from atomloom_residues.residue_files import write_files
    from atomloom_residues.residue_report import report_of
    from atomloom_residues.structure_writing import write_on_structure

    convert(np.ones(1), unit, "eV/angstrom")  # an unknown unit stops here
    dataset = union([data])
    by_prior = None if prior is None else _read(prior, dataset)
    forces = forces_of(dataset, _read(predicted, dataset), unit, by_prior)
    other = None if compare is None else forces.predicting(_read(compare, dataset))
    name, folder = model_id or Path(predicted).stem, Path(out)
    with watched():
        results = results_of(forces, name, Options(frames_per_block=block), other)
        for suffix in (".cif", ".pdb") if structure is not None else ():
            target = folder / f"{name}_per_residue_rmse{suffix}"
            matched = write_on_structure(results["judgement"], str(structure), target, protein)
            note(f"The errors of {matched} residues are on '{target}', in kcal/mol/angstrom as B factors.")
        written = write_files(results, folder)
    if json_output:
        echo_json(plain(results["judgement"]))
    else:
        click.echo(to_text(report_of(results["judgement"], name)))
    note(f"{len(written)} files are in '{folder}'.")


def _read(path: str, dataset: Dataset) -> Array:
    """The forces in a file for the real beads of the data, one frame behind the other."""
    import numpy as np

    from atomloom.arrays import open_arrays
    from atomloom.errors import DataError

    arrays = open_arrays(Path(path))
    name = next((name for name in ("F", "forces") if name in arrays), None)
    lengths = dataset.sizes["atom"]
    if name is None:
        raise DataError(f"read the forces in '{path}'", f"it has {', '.join(arrays)}", "Call them F")
    values = np.asarray(arrays[name][...])
    longest = int(lengths.max(initial=0))
    if values.ndim != 3 or len(values) != len(lengths) or values.shape[1] < longest or values.shape[2] != 3:
        wanted = f"{len(lengths)} frames of up to {longest} beads"
        found = f"their shape is {list(values.shape)}, and the data has {wanted}"
        raise DataError(f"read the forces in '{path}'", found, "Give them as [frames, beads, 3]")
    real: Array = values[np.arange(values.shape[1]) < lengths[:, None]]
    return real
