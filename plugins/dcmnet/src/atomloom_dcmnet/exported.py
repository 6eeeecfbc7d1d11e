"""What ``atomloom dcmnet export`` writes: the charges of a fit, of a run for a geometry, or of a file of CHARMM."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.harmonizing import require
from atomloom.pipeline import Fitted, predict
from atomloom.runs import Run
from atomloom.runs.atomic import atomic_file
from atomloom.writers import write
from atomloom_dcmnet.checkpoints import loaded
from atomloom_dcmnet.fits import read_fit
from atomloom_dcmnet.lattice import lattice, on_lattice
from atomloom_dcmnet.linear import Array
from atomloom_dcmnet.local_frames import LocalModel, choose_frames
from atomloom_dcmnet.mdcm import read_mdcm, write_mdcm
from atomloom_dcmnet.openmm_export import system_xml

DCM_FILES = (".mdcm", ".dcm")
"""Suffixes of files that CHARMM reads."""

FIT_FILES = (".json",)
"""Suffixes of what ``atomloom dcmnet fit --out`` keeps."""


class Molecule(NamedTuple):
    """Charges beside the atoms of one geometry.

    Args:
        numbers, positions: of the atoms, in angstrom ``[atoms, 3]``.
        charges, places: in e and angstrom ``[charges, 3]``.
        model: the same charges in the axes of the atoms; None where these do not fix their places.
    """

    numbers: Array
    positions: Array
    charges: Array
    places: Array
    model: LocalModel | None

    @property
    def fixed(self) -> LocalModel:
        """The charges in the axes of the atoms.

        Raises:
            DataError: see `LocalModel.of`.
        """
        if self.model is not None:
            return self.model
        shape = (len(self.numbers), -1)
        axes = choose_frames(self.positions[None])
        return LocalModel.of(axes, self.positions, self.charges.reshape(shape), self.places.reshape(*shape, 3))


def of_fit(path: Path, dataset: Dataset | None, frame: int) -> Molecule:
    """The charges of a fit, in its own geometry, or in that of a frame of `dataset`."""
    fit = read_fit(path)
    numbers, positions = np.array(fit.Z), np.array(fit.R)
    if dataset is not None:
        return _in_geometry(fit.model, numbers, dataset, frame)
    places, charges = np.array(fit.positions).reshape(-1, 3), np.array(fit.charges).ravel()
    return Molecule(numbers, positions, charges, places, fit.model if fit.conformers else None)


def of_file(path: Path, dataset: Dataset | None, frame: int) -> Molecule:
    """The charges of a file of CHARMM in the geometry of a frame of `dataset`."""
    if dataset is None:
        found = "the file says nothing about where the atoms are"
        raise DataError(f"export the charges of '{path}'", found, "Name a geometry with --data and --frame")
    return _in_geometry(read_mdcm(path)[1], None, dataset, frame)


def of_run(run: Run, dataset: Dataset | None, frame: int) -> Molecule:
    """The charges that the network of a run predicts for a frame of `dataset`."""
    if dataset is None:
        found = "a network needs a geometry to predict them for"
        raise DataError(f"export the charges of the run '{run.name}'", found, "Name one with --data and --frame")
    return predicted(loaded(run), _one(dataset, frame))


def predicted(fitted: Fitted, dataset: Dataset) -> Molecule:
    """The charges that a network predicts for the one frame of `dataset`."""
    here = dataset.take([0]).frame(0)
    found = predict(fitted, dataset).take([0]).frame(0)
    positions = np.asarray(here["R"], float)
    charges, places = np.asarray(found["dcm_charges"], float), np.asarray(found["dcm_positions"], float)
    return Molecule(np.asarray(here["Z"]), positions, charges.ravel(), places.reshape(-1, 3), None)


def write_charmm(molecule: Molecule, target: Path, residue: str) -> None:
    """A parameter file of CHARMM's DCM module."""
    write_mdcm(molecule.fixed, target, residue)


def write_openmm(molecule: Molecule, target: Path, copies: int) -> None:
    """A System of OpenMM as XML."""
    text = system_xml(molecule.fixed, molecule.numbers, copies)
    with atomic_file(target) as file:
        file.write(text)


def write_cube(molecule: Molecule, target: Path, spacing: float, margin: float) -> None:
    """The potential on a lattice around the molecule as a Gaussian cube file."""
    numbers, positions, charges, places, _ = molecule
    points = lattice(positions, spacing, margin)
    write(on_lattice(numbers, positions, charges, places, points), target, writer="cube", overwrite=True)


def _in_geometry(model: LocalModel, numbers: Array | None, dataset: Dataset, frame: int) -> Molecule:
    here = _one(dataset, frame).take([0]).frame(0)
    own, positions = np.asarray(here["Z"]), np.asarray(here["R"], float)
    asked = f"put charges into the geometry of frame {frame}"
    if len(own) != model.atoms or (numbers is not None and not np.array_equal(own, numbers)):
        found = f"it has {len(own)} atoms, and the charges belong to {model.atoms}, or the elements differ"
        raise DataError(asked, found, "Name a geometry of the same molecule, its atoms in the same order")
    return Molecule(own, positions, model.charges, model.places(positions), model)


def _one(dataset: Dataset, frame: int) -> Dataset:
    asked = "export charges for a geometry"
    require(dataset, ("Z", "R"), asked)
    if frame >= len(dataset):
        found = f"there are {len(dataset)} frames, the first of which is 0"
        raise DataError(f"{asked}, that of frame {frame}", found, f"Choose one up to {len(dataset) - 1}")
    return dataset[frame : frame + 1]
