"""The canonical fields: what a quantity is called here, which axes it has and in which unit it is kept.

Their names are those of the existing data sets of this field, and so are the aliases under which they are found. One
alias may stand for several fields (``Q`` for a total charge, a quadrupole or atomic charges): then the shape decides,
and where it fits more than one of them the user does.
"""

from __future__ import annotations

from atomloom.specs import Field

_ATOM = ("frame", "atom")
_ATOM_XYZ = ("frame", "atom", "xyz")
_PAIR = ("frame", "pair")
_REFLECTION = ("frame", "reflection")


def _field(name: str, dims: tuple[str, ...], unit: str, doc: str, aliases: str = "", dtype: str = "float") -> Field:
    return Field(name=name, dims=dims, unit=unit, summary=doc, doc=doc, aliases=tuple(aliases.split()), dtype=dtype)


MOLECULES = (
    _field("Z", _ATOM, "", "Atomic numbers.", "z numbers atomic_numbers nuclear_charges species", dtype="int"),
    _field(
        "R",
        _ATOM_XYZ,
        "angstrom",
        "Positions of the atoms.",
        "coord coords coordinates positions conformations pos xyz",
    ),
    _field("N", ("frame",), "", "Number of atoms.", "n_atoms natoms num_atoms", dtype="int"),
    _field(
        "E",
        ("frame",),
        "eV",
        "Potential energy; always kept in float64.",
        "energy energies dft_total_energy total_energy potential_energy",
        dtype="float64",
    ),
    _field("F", _ATOM_XYZ, "eV/angstrom", "Forces on the atoms, the negative gradient of E.", "forces force"),
    _field("gradient", _ATOM_XYZ, "eV/angstrom", "Gradient of E; its negative is F.", "gradients dft_total_gradient"),
    _field("D", ("frame", "xyz"), "e*angstrom", "Dipole moment.", "dipole dipoles Dxyz scf_dipole"),
    _field("dipole_norm", ("frame",), "e*angstrom", "Size of the dipole moment.", "D dipole dipoles"),
    _field("quadrupole", ("frame", "xyz", "xyz"), "e*angstrom^2", "Quadrupole moment.", "Q scf_quadrupole quadrupoles"),
    _field("total_charge", ("frame",), "e", "Total charge.", "charge charges Q Qtot q_total net_charge"),
    _field(
        "total_spin",
        ("frame",),
        "",
        "Spin multiplicity 2S+1: 1 for a singlet, 2 for a doublet.",
        "mult multiplicity spin_multiplicity",
        dtype="int",
    ),
    _field("unpaired_electrons", ("frame",), "", "Number of unpaired electrons, total_spin less one.", dtype="int"),
    _field(
        "mono",
        _ATOM,
        "e",
        "Atomic charges.",
        "monopoles monopole charges Q atomic_charges mbis_charges partial_charges",
    ),
    _field("spin_charges", _ATOM, "", "Unpaired electrons on each atom.", "spin_densities atomic_spins"),
    _field("atom_dipoles", _ATOM_XYZ, "e*angstrom", "Atomic dipoles.", "D dipoles atomic_dipoles mbis_dipoles"),
    _field("level", ("frame",), "", "Level of theory of the labels, where frames are of several.", dtype="str"),
    _field(
        "level_index",
        ("frame",),
        "",
        "Number of that level among those that a model is fitted to; made for models that tell levels apart.",
        dtype="int",
    ),
    _field("velocities", _ATOM_XYZ, "angstrom/fs", "Velocities of the atoms.", "velocity vel"),
)

PAIRS = (
    _field("pair_dst", _PAIR, "", "First atom of each pair, counted within its frame; ascending.", dtype="int"),
    _field("pair_src", _PAIR, "", "Second atom of each pair, counted within its frame.", dtype="int"),
    _field("pair_shift", (*_PAIR, "xyz"), "angstrom", "Added to R[pair_src] - R[pair_dst] in periodic frames."),
)

SURFACES = (
    _field("esp", ("frame", "grid"), "hartree/e", "Electrostatic potential on grid points.", "V esp_values potential"),
    _field("vdw_surface", ("frame", "grid", "xyz"), "angstrom", "Grid points around the molecule.", "esp_grid grid"),
    _field("n_grid", ("frame",), "", "Number of grid points; counted from esp where missing.", "ngrid", dtype="int"),
)

PROTEINS = (
    _field("species", _ATOM, "", "Bead type, an index into aa_to_id.", dtype="int"),
    _field("resid", _ATOM, "", "Residue number of each atom.", "residue_index", dtype="int"),
    _field("resname", _ATOM, "", "Residue name of each atom.", "residue_name", dtype="str"),
    _field("protein_id", ("frame",), "", "Which protein a frame is of.", dtype="str"),
    _field("mask", _ATOM, "", "True for real atoms.", "atom_mask", dtype="bool"),
)

CRYSTALS = (
    _field("cell", ("frame", "xyz", "xyz"), "angstrom", "Cell vectors as rows.", "box lattice"),
    _field("pbc", ("frame", "xyz"), "", "Which cell directions are periodic.", "periodic", dtype="bool"),
    _field("occupancy", _ATOM, "", "Fraction of unit cells in which the atom is there.", "occ"),
    _field("b_iso", _ATOM, "angstrom^2", "Isotropic displacement parameter B.", "bfactor b_factor"),
    _field("aniso_u", (*_ATOM, "component"), "angstrom^2", "Anisotropic U as 11, 22, 33, 12, 13, 23."),
    _field("altloc", _ATOM, "", "Label of the alternative location.", dtype="str"),
    _field("chain", _ATOM, "", "Chain of each atom.", dtype="str"),
    _field("seqid", _ATOM, "", "Residue number with insertion code.", dtype="str"),
    _field("element", _ATOM, "", "Element symbol.", "elements symbols", dtype="str"),
    _field("hkl", (*_REFLECTION, "component"), "", "Miller indices.", "miller", dtype="int"),
    _field("F_obs", _REFLECTION, "", "Observed amplitudes.", "FP F_meas"),
    _field("sigma_F", _REFLECTION, "", "Their standard uncertainties.", "SIGFP F_meas_sigma"),
    _field("I_obs", _REFLECTION, "", "Observed intensities.", "IMEAN intensity_meas"),
    _field("sigma_I", _REFLECTION, "", "Their standard uncertainties.", "SIGIMEAN intensity_sigma"),
    _field("free_flag", _REFLECTION, "", "True for reflections kept out of refinement.", "FREE", dtype="bool"),
)

CANONICAL: tuple[Field, ...] = (*MOLECULES, *PAIRS, *SURFACES, *PROTEINS, *CRYSTALS)
"""All fields that core declares; plugins add theirs through ``atomloom_fields``."""
