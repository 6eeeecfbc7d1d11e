"""Charges in local axes as a System of OpenMM: a virtual site of the kind LocalCoordinatesSite for each of them.

The atoms themselves bear no charge, and charges of one molecule do not act on each other: the System holds what rigid
distributed charges bring to a force field, and the rest of that is to be added to it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from atomloom.errors import ConfigError, DataError
from atomloom.units import factor
from atomloom_dcmnet.linear import Array
from atomloom_dcmnet.local_frames import Frame, LocalModel

NANOMETRES = factor("angstrom", "nm")


def system_of(model: LocalModel, numbers: Array, copies: int = 1) -> Any:
    """A System of so many copies of a molecule, each with its atoms first and its charges behind them.

    Args:
        model: of the molecule.
        numbers: of its atoms.
    """
    _check(model)
    import openmm
    from openmm.app import Element

    system, force = openmm.System(), openmm.NonbondedForce()
    system.addForce(force)
    force.setNonbondedMethod(openmm.NonbondedForce.NoCutoff)
    beside = np.flatnonzero([len(_frame(model, owner).atoms) > 1 for owner in model.owners.tolist()])
    centred = np.setdiff1d(np.arange(len(model.owners)), beside)
    own = np.bincount(model.owners[centred], model.charges[centred], model.atoms)
    for _ in range(copies):
        first = system.getNumParticles()
        for number, charge in zip(numbers.tolist(), own.tolist(), strict=True):
            system.addParticle(Element.getByAtomicNumber(number).mass)
            force.addParticle(charge, 1.0, 0.0)
        for site in beside.tolist():
            system.setVirtualSite(system.addParticle(0.0), _virtual_site(model, site, first))
            force.addParticle(float(model.charges[site]), 1.0, 0.0)
        for one in range(first, system.getNumParticles()):
            for other in range(first, one):
                force.addException(other, one, 0.0, 1.0, 0.0)
    return system


def system_xml(model: LocalModel, numbers: Array, copies: int = 1) -> str:
    """`system_of` as a text that OpenMM reads."""
    system = system_of(model, numbers, copies)
    import openmm

    text: str = openmm.XmlSerializer.serialize(system)
    return text


def _virtual_site(model: LocalModel, site: int, first: int) -> Any:
    """One charge, whose molecule begins at particle `first`.

    OpenMM makes right-handed axes of two directions, the first of which is its x axis. That is our z axis here, the
    direction to the other outer atom is the second, and so the other axes are ours but for signs.
    """
    import openmm

    frame, place = _frame(model, int(model.owners[site])), model.axes.homes[int(model.owners[site])].place
    origin, x, y = (np.zeros(len(frame.atoms)) for _ in range(3))
    origin[place] = 1.0
    along, other = (2, 0) if place == 2 else (0, 2)
    x[[along, 1]] = 1.0, -1.0
    if len(frame.atoms) == 3:
        y[[other, 1]] = 1.0, -1.0
    a, b, c = (NANOMETRES * model.local[site]).tolist()
    local = openmm.Vec3(c, a, -b) if place == 2 else openmm.Vec3(c, -a, b)
    return openmm.LocalCoordinatesSite([first + atom for atom in frame.atoms], origin, x, y, local)


def _frame(model: LocalModel, atom: int) -> Frame:
    return model.axes.frames[model.axes.homes[atom].frame]


def _check(model: LocalModel) -> None:
    """Stops without OpenMM, and at axes that its sites do not have."""
    if find_spec("openmm") is None:
        todo = 'Install it with `pip install "atomloom-dcmnet[openmm]"`'
        raise ConfigError("export to OpenMM", "openmm is not installed", todo)
    halved = [atom for atom in set(model.owners.tolist()) if _halved(model, atom)]
    if halved:
        found = f"the z axis of atom {halved[0]} halves an angle, which no virtual site of OpenMM does"
        raise DataError("export to OpenMM", found, "Bring charges in frames of bonds (BO)")


def _halved(model: LocalModel, atom: int) -> bool:
    return _frame(model, atom).bisector and model.axes.homes[atom].place == 1
