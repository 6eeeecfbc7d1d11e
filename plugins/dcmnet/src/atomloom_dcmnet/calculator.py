"""`DCMNetCalculator`: the charges of a network for ase, with dipole and potential at any points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.pipeline import Fitted
from atomloom.runs import Run
from atomloom_dcmnet.checkpoints import loaded
from atomloom_dcmnet.exported import Molecule, predicted
from atomloom_dcmnet.lattice import potential_of
from atomloom_dcmnet.linear import Array

_AWAY = 10.0  # angstrom: where a point is that the network is asked about for nothing


class DCMNetCalculator(Calculator):
    """Atomic charges in e and the dipole in e angstrom, from the origin; the network gives no energy.

    Args:
        run: a run or its folder, or what `Fitted.load` gives of one.
        charge: total charge in e; without it ``atoms.info["charge"]``, or what the run assumed for its data.
        spin: multiplicity 2S+1, of which only a network with conditioning reads; without it ``atoms.info["spin"]``.

    ::

        atoms.calc = DCMNetCalculator("runs/first", charge=0)
        atoms.get_charges(), atoms.get_dipole_moment()
        atoms.calc.potential(points)  # hartree/e
    """

    implemented_properties = ["charges", "dipole"]  # noqa: RUF012  as in ase

    def __init__(self, run: Fitted | Run | str | Path, charge: int | None = None, spin: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ase annotates in part
        self.fitted = run if isinstance(run, Fitted) else loaded(run if isinstance(run, Run) else Run.open(run))
        self.charge, self.spin = charge, spin
        self._molecule: Molecule | None = None
        self._used: tuple[float | None, int | None] | None = None

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What changed since the last result: charge and multiplicity too, which ase does not look at."""
        changes: list[str] = super().check_state(atoms, tol=tol)  # type: ignore[no-untyped-call]  # ase annotates in part
        return changes if self._used in (None, self._state_of(atoms)) else [*changes, "info"]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("charges",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Charges and dipole at once."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]  # ase annotates in part
        now = self.atoms
        assert now is not None, "ase has just set them"
        self._used = self._state_of(now)
        self._molecule = predicted(self.fitted, self._frame(now))
        each = self._molecule.charges.reshape(len(now), -1)
        dipole = self._molecule.charges @ self._molecule.places
        self.results = {"charges": each.sum(axis=1), "dipole": dipole}

    def sites(self, atoms: Atoms | None = None) -> Molecule:
        """The charges of `atoms`, or of those that were computed last, and where they are."""
        self.get_property("charges", atoms)  # type: ignore[no-untyped-call]  # ase annotates in part
        assert self._molecule is not None, "it has just been computed"
        return self._molecule

    def potential(self, points: Array, atoms: Atoms | None = None) -> Array:
        """At `points` in angstrom ``[points, 3]``, in hartree/e."""
        found = self.sites(atoms)
        return potential_of(found.charges, found.places, np.asarray(points, float))

    def _state_of(self, atoms: Atoms) -> tuple[float | None, int | None]:
        charge = atoms.info.get("charge") if self.charge is None else self.charge
        spin = atoms.info.get("spin") if self.spin is None else self.spin
        return None if charge is None else float(charge), None if spin is None else int(spin)

    def _frame(self, atoms: Atoms) -> Dataset:
        charge, spin = self._state_of(atoms)
        config = self.fitted.config
        charge = config.assume_charge if charge is None else charge
        if charge is None:
            todo = 'Give the calculator charge=, or set atoms.info["charge"]'
            raise DataError("compute the charges of these atoms", "nothing says their total charge", todo)
        point = atoms.positions.max(axis=0, keepdims=True) + _AWAY
        frame = {"Z": atoms.numbers, "R": atoms.positions, "total_charge": float(charge), "vdw_surface": point}
        return Dataset.from_frames([frame if spin is None else {**frame, "total_spin": spin}])
