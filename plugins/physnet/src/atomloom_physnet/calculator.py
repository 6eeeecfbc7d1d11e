"""`PhysNetCalculator`: a fitted potential for ase, for optimisations, vibrations and molecular dynamics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from atomloom import DataError, Run
from atomloom.pipeline import Fitted
from atomloom_jax.precision import cast, precise, precision_of
from atomloom_physnet.model import NETWORK, PARAMETERS, check_seen, computed
from atomloom_physnet.neighbours import Geometry, Neighbours
from atomloom_physnet.states import check_electrons_of

SKIN = 0.5
"""In angstrom, by default."""

INFO = {"charge": "charge", "spin": "spin"}
"""Keys of ``atoms.info`` that hold the total charge in e and the multiplicity 2S+1."""


_COMPUTED = jax.jit(computed)


class PhysNetCalculator(Calculator):
    """Energy, forces, charges, dipole and stress of one electronic state.

    Charge and multiplicity 2S+1 are those that are given here, or else those in ``atoms.info["charge"]`` and
    ``atoms.info["spin"]``, or else what the run assumed for its data. Where none says them there is no result.

    Args:
        run: a run or its folder, or what `Fitted.load` gives of one.
        charge: in e.
        spin: 2S+1.
        skin: by how much lists of neighbours reach further than needed, in angstrom.

    Attributes:
        neighbours: the list, which says how often it was made.

    ::

        atoms.calc = PhysNetCalculator("runs/first", charge=1, spin=2)
        atoms.get_potential_energy()  # eV
    """

    implemented_properties = ["energy", "free_energy", "forces", "charges", "dipole", "stress"]  # noqa: RUF012  as in ase

    def __init__(
        self,
        run: Fitted | Run | str | Path,
        charge: int | None = None,
        spin: int | None = None,
        skin: float = SKIN,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ase annotates in part
        self.fitted = _loaded(run)
        self.charge, self.spin = charge, spin
        config = self.fitted.state[NETWORK].config
        self.neighbours = Neighbours(config.reach, skin)
        self._precision = precision_of(jax.tree.leaves(jax.device_get(self.fitted.state[PARAMETERS])))
        self._used: tuple[float, int] | None = None

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What changed since the last result: charge and multiplicity too, which ase does not look at."""
        changes: list[str] = super().check_state(atoms, tol=tol)  # type: ignore[no-untyped-call]  # ase annotates in part
        return changes if self._used in (None, self.state_of(atoms)) else [*changes, "info"]

    def state_of(self, atoms: Atoms) -> tuple[float, int]:
        """Total charge in e and multiplicity 2S+1 of these atoms."""
        config = self.fitted.state[NETWORK].config
        given = {"charge": (self.charge, config.assume_charge), "spin": (self.spin, config.assume_spin)}
        found = {}
        for name, (own, assumed) in given.items():
            said = [value for value in (own, atoms.info.get(INFO[name]), assumed) if value is not None]
            if not said:
                todo = f'Give the calculator {name}=, or set atoms.info["{INFO[name]}"]'
                raise DataError("compute these atoms", f"nothing says their {_LONG[name]}", todo)
            found[name] = said[0]
        return float(found["charge"]), int(found["spin"])

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """All results at once, which costs little more than the forces; stress where the atoms are periodic."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]  # ase annotates in part
        now = self.atoms
        assert now is not None, "ase has just set them"
        if "stress" in properties and not now.pbc.all():
            raise PropertyNotImplementedError("stress needs a cell that repeats in all directions")
        charge, spin = self.state_of(now)
        batch = self._batch(now, charge, spin)
        if set(system_changes) - {"positions", "cell"}:
            check_electrons_of(now.numbers, charge, spin)
            check_seen(self.fitted.state, batch)
        with precise(self._precision):
            moved = {name: cast(values, self._precision) for name, values in batch.items()}
            found = jax.device_get(_COMPUTED(self.fitted.state, moved))
        self.results = self._results(now, found)
        self._used = charge, spin

    def _batch(self, atoms: Atoms, charge: float, spin: int) -> dict[str, NDArray[Any]]:
        geometry = Geometry(atoms.numbers.copy(), atoms.positions.copy(), np.asarray(atoms.cell).copy(), atoms.pbc)
        return {
            "Z": geometry.numbers,
            "R": geometry.positions,
            "total_charge": np.array([charge]),
            "total_spin": np.array([spin]),
            "batch_segments": np.zeros(len(atoms), np.int32),
            "frame_mask": np.array([True]),
            **self.neighbours.arrays(geometry),
        }

    def _results(self, atoms: Atoms, found: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        references = np.asarray(self.fitted.state["references"])[atoms.numbers]
        energy = float(found["energy"][0]) + float(references.sum())
        results = {
            "energy": energy,
            "free_energy": energy,
            "forces": found["forces"].astype(np.float64),
            "charges": found["charges"].astype(np.float64),
            "dipole": found["dipoles"][0].astype(np.float64),
        }
        if atoms.pbc.all():
            strained = found["virials"][0].astype(np.float64)
            results["stress"] = full_3x3_to_voigt_6_stress((strained + strained.T) / 2 / atoms.get_volume())
        return results


_LONG = {"charge": "total charge", "spin": "multiplicity"}


def _loaded(run: Fitted | Run | str | Path) -> Fitted:
    if isinstance(run, Fitted):
        return run
    return Fitted.load(run if isinstance(run, Run) else Run.open(run))
