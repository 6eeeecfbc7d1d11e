"""What the makers of known HDF5 data sets document: the units of their fields, and what is to be left out.

=========  ==========================================  =====================================================
SPICE      a group for each molecule                   units as attributes; by its downloader script
AIMNet2    a group for each number of atoms            angstrom, eV, e; the unit of multipoles is not stated
ANI-1x     a group for each formula, levels in names   Table 2 of Smith et al., Sci. Data 7, 134 (2020)
ANI        a group for each molecule                   angstrom, hartree
=========  ==========================================  =====================================================

SPICE: https://github.com/openmm/spice-dataset; ANI: https://doi.org/10.1038/sdata.2017.193 and
https://aiqm.github.io/torchani/user-guide.html.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple


class Dialect(NamedTuple):
    """A known shape of HDF5 files.

    Args:
        words: by which rule units are known, as reports print it.
        needs: names that every group has; one that starts with a dot stands for an ending.
        units: unit by the name of a dataset, or by the ending of it.
        dropped: endings of datasets that are not over the frames of the group.
    """

    words: str
    needs: tuple[str, ...]
    units: Mapping[str, str]
    dropped: tuple[str, ...] = ()

    def fits(self, names: Collection[str]) -> bool:
        """Whether a group with datasets of these names is of this shape."""
        return all(any(_is(name, need) for name in names) for need in self.needs)

    def unit(self, name: str) -> str:
        """The documented unit of a field, or an empty string."""
        if name in self.units:
            return self.units[name]
        return next((unit for ending, unit in self.units.items() if ending[0] == "." and name.endswith(ending)), "")


SPICE = Dialect(
    "SPICE's documentation",
    ("conformations", "atomic_numbers"),
    {
        "conformations": "bohr",
        "dft_total_energy": "hartree",
        "formation_energy": "hartree",
        "dispersion_total_energy": "hartree",
        "dft_total_gradient": "hartree/bohr",
        "dispersion_total_gradient": "hartree/bohr",
        "mbis_charges": "e",
        "mbis_dipoles": "e*bohr",
        "mbis_quadrupoles": "e*bohr^2",
        "mbis_octupoles": "e*bohr^3",
        "scf_dipole": "e*bohr",
        "scf_quadrupole": "e*bohr^2",
    },
)

AIMNET2 = Dialect(
    "AIMNet2's documentation",
    ("coord", "numbers"),
    {"coord": "angstrom", "energy": "eV", "forces": "eV/angstrom", "charge": "e", "charges": "e"},
)

ANI_1X = Dialect(
    "the paper of ANI-1x and ANI-1ccx",
    ("coordinates", "atomic_numbers", ".energy"),
    {
        "coordinates": "angstrom",
        ".energy": "hartree",
        ".corr_energy": "hartree",
        ".forces": "hartree/angstrom",
        ".dipole": "e*angstrom",
        ".quadrupole": "e*angstrom^2",
        ".cm5_charges": "e",
        ".hirshfeld_charges": "e",
        ".mbis_charges": "e",
        ".mbis_dipoles": "e*bohr",
        ".mbis_quadrupoles": "e*bohr^2",
        ".mbis_octupoles": "e*bohr^3",
        ".mbis_volumes": "bohr^3",
    },
)

ANI = Dialect(
    "ANI's documentation",
    ("coordinates", "species"),
    {
        "coordinates": "angstrom",
        "energies": "hartree",
        "energy": "hartree",
        "forces": "hartree/angstrom",
    },
    dropped=("HE",),  # further conformations of high energy, of another number
)

DIALECTS = (SPICE, AIMNET2, ANI_1X, ANI)
UNKNOWN = Dialect("", (), {})


def dialect_of(names: Collection[str]) -> Dialect:
    """The dialect of a file whose groups hold datasets of these names.

    >>> dialect_of({"coord", "numbers", "energy"}).unit("energy")
    'eV'
    """
    return next((dialect for dialect in DIALECTS if dialect.fits(names)), UNKNOWN)


def level_of(names: Collection[str], wanted: str = "") -> str:
    """The level of theory whose fields are to be used, as in ``wb97x_dz.energy``: the wanted one, or the only one."""
    levels = {name.removesuffix(".energy") for name in names if name.endswith(".energy")}
    return wanted if wanted else levels.pop() if len(levels) == 1 else ""


def _is(name: str, need: str) -> bool:
    return name.endswith(need) if need.startswith(".") else name == need
