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
from atomloom.data.levels import INDEX
from atomloom.ensemble import Calibration, Ensemble, loaded, mean_and_spread
from atomloom.pipeline import Fitted
from atomloom_jax import reference_energies
from atomloom_jax.precision import cast, precise, precision_of
from atomloom_physnet.model import NETWORK, PARAMETERS, check_seen, computed, level_number
from atomloom_physnet.neighbours import Geometry, Neighbours
from atomloom_physnet.states import check_electrons_of

SKIN = 0.5
"""In angstrom, by default."""

INFO = {"charge": "charge", "spin": "spin"}
"""Keys of ``atoms.info`` that hold the total charge in e and the multiplicity 2S+1."""

UNCERTAIN = {"energy_std": ("energy", "E"), "forces_std": ("forces", "F")}
"""Results that an ensemble has beside the others: which of them is uncertain, and its field."""

_COMPUTED = jax.jit(computed)


class PhysNetCalculator(Calculator):
    """Energy, forces, charges, dipole and stress of one electronic state.

    Charge and multiplicity 2S+1 are those that are given here, or else those in ``atoms.info["charge"]`` and
    ``atoms.info["spin"]``, or else what the run assumed for its data. Where none says them there is no result.

    Args:
        run: a run or its folder, or what `atomloom.ensemble.loaded` gives of one. Of an ensemble results are means of
            its members, and there are ``energy_std`` and ``forces_std [atoms]``, which two of three errors are smaller
            than; its calibration is used if it has one.
        charge: in e.
        spin: 2S+1.
        skin: by how much lists of neighbours reach further than needed, in angstrom.
        level: of theory, where the run was trained on several.

    Attributes:
        neighbours: the list, which says how often it was made.

    ::

        atoms.calc = PhysNetCalculator("runs/first", charge=1, spin=2)
        atoms.get_potential_energy()  # eV
    """

    implemented_properties = ["energy", "free_energy", "forces", "charges", "dipole", "stress"]  # noqa: RUF012  as in ase

    def __init__(
        self,
        run: Fitted | Ensemble | Run | str | Path,
        charge: int | None = None,
        spin: int | None = None,
        skin: float = SKIN,
        level: str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ase annotates in part
        potential = _loaded(run)
        self.calibration = potential.calibration if isinstance(potential, Ensemble) else None
        self.members = potential.members if isinstance(potential, Ensemble) else (potential,)
        self.fitted = self.members[0]
        if self.calibration is not None:
            self.implemented_properties = [*self.implemented_properties, *UNCERTAIN]
        self.charge, self.spin = charge, spin
        self.level = level_number(self.fitted.state, level)
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
            for member in self.members:
                check_seen(member.state, batch)
        with precise(self._precision):
            moved = {name: cast(values, self._precision) for name, values in batch.items()}
            found = [jax.device_get(_COMPUTED(member.state, moved)) for member in self.members]
        results = [_results(member, self.level, now, each) for member, each in zip(self.members, found, strict=True)]
        self.results = results[0] if self.calibration is None else _together(results, self.calibration)
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
            INDEX: np.array([self.level]),
            **self.neighbours.arrays(geometry),
        }


def _results(member: Fitted, level: int, atoms: Atoms, found: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What one potential says of these atoms, in ase's names and units."""
    energy = float(found["energy"][0]) + float(reference_energies(member.state, atoms.numbers, level).sum())
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


def _together(results: Sequence[Mapping[str, Any]], calibration: Calibration) -> dict[str, Any]:
    """The means of what members say, and the uncertainties of energy and forces."""
    means: dict[str, Any] = {name: np.mean([each[name] for each in results], axis=0) for name in results[0]}
    for own, (name, field) in UNCERTAIN.items():
        _, spread = mean_and_spread([np.atleast_1d(each[name]) for each in results])
        uncertainty = calibration.width(field) * spread
        means[own] = uncertainty if means[name].ndim else float(uncertainty[0])
    return {name: float(value) if np.ndim(value) == 0 else value for name, value in means.items()}


_LONG = {"charge": "total charge", "spin": "multiplicity"}


def _loaded(run: Fitted | Ensemble | Run | str | Path) -> Fitted | Ensemble:
    if isinstance(run, Fitted | Ensemble):
        return run
    return loaded(run if isinstance(run, Run) else Run.open(run))
