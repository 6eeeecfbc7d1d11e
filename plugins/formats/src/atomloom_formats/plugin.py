"""What atomloom-formats brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import Field, HarmonizerSpec, Matches, ReaderSpec, WriterSpec, hookimpl

api = 1

_ASE = """@article{larsen2017ase, author = {Larsen, Ask Hjorth and others},
title = {The atomic simulation environment---a {Python} library for working with atoms},
journal = {J. Phys.: Condens. Matter}, volume = {29}, pages = {273002}, year = {2017}}"""

_XYZ = Matches(globs=("*.xyz", "*.extxyz", "*.exyz"))
_ASE_DB = Matches(globs=("*.db",), magic=(b"SQLite format 3\0",))
_HDF5 = Matches(globs=("*.h5", "*.hdf5", "*.hdf"), magic=(b"\x89HDF\r\n\x1a\n",))
_CUBE = Matches(globs=("*.cube", "*.cub"))


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What cube files hold beside potentials."""
    yield Field(
        name="density",
        dims=("frame", "grid"),
        unit="e/bohr^3",
        summary="Electron density on grid points.",
        doc="Electron density on grid points, positive where there are electrons.",
        aliases=("electron_density",),
    )


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """The readers of this package."""
    yield ReaderSpec(
        name="extxyz",
        summary="Extended or plain XYZ, indexed in one scan",
        load="atomloom_formats.xyz_reading:read",
        example="atomloom_formats.xyz_reading:example",
        matches=_XYZ,
        provides=("Z", "R", "E", "F", "D", "mono", "cell", "pbc"),
        cite=(_ASE,),
    )
    yield ReaderSpec(
        name="ase-db",
        summary="ASE database (SQLite), with SchNetPack's properties and units where it has them",
        load="atomloom_formats.ase_reading:read",
        example="atomloom_formats.ase_reading:example",
        matches=_ASE_DB,
        provides=("Z", "R", "E", "F", "D", "mono", "cell", "pbc"),
        cite=(_ASE,),
    )
    yield ReaderSpec(
        name="hdf5",
        summary="HDF5 in the shapes of SPICE, AIMNet2 and ANI, or plain arrays",
        load="atomloom_formats.hdf5_reading:read",
        example="atomloom_formats.hdf5_reading:example",
        matches=_HDF5,
        provides=("Z", "R", "E", "F", "D", "quadrupole", "mono", "total_charge", "total_spin"),
    )
    yield ReaderSpec(
        name="cube",
        summary="Gaussian cube file of a potential or a density",
        load="atomloom_formats.cube_reading:read",
        example="atomloom_formats.cube_reading:example",
        matches=_CUBE,
        provides=("Z", "R", "esp", "vdw_surface", "density"),
    )
    yield ReaderSpec(
        name="esp-json",
        summary="ESP records of openff-recharge as JSON",
        load="atomloom_formats.esp_json:read",
        example="atomloom_formats.esp_json:example",
        matches=Matches(globs=("*.json",)),
        provides=("Z", "R", "esp", "vdw_surface", "total_charge"),
    )
    yield ReaderSpec(
        name="esp",
        summary="ESP file of Gaussian (Merz-Kollman) or of the RESP program",
        load="atomloom_formats.esp_text:read",
        example="atomloom_formats.esp_text:example",
        matches=Matches(globs=("*.esp", "*.gesp", "esp*.dat"), magic=(b" ESP FILE",)),
        provides=("Z", "R", "esp", "vdw_surface", "mono", "D", "total_charge", "total_spin"),
    )


@hookimpl
def atomloom_writers() -> Iterable[WriterSpec]:
    """The writers of this package."""
    yield WriterSpec(
        name="extxyz",
        summary="Extended XYZ in ASE's units, every digit kept",
        load="atomloom_formats.xyz_writing:write",
        example="atomloom.testing.examples:charged_molecules",
        matches=_XYZ,
    )
    yield WriterSpec(
        name="ase-db",
        summary="ASE database (SQLite)",
        load="atomloom_formats.ase_writing:write",
        example="atomloom.testing.examples:charged_molecules",
        matches=_ASE_DB,
        cite=(_ASE,),
    )
    yield WriterSpec(
        name="hdf5",
        summary="HDF5 in AIMNet2's shape: a group for each number of atoms, units as attributes",
        load="atomloom_formats.hdf5_writing:write",
        example="atomloom.testing.examples:charged_molecules",
        matches=_HDF5,
    )
    yield WriterSpec(
        name="cube",
        summary="Gaussian cube file of one frame whose grid is a regular lattice",
        load="atomloom_formats.cube_writing:write",
        example="atomloom_formats.cube_writing:example",
        matches=_CUBE,
    )


@hookimpl
def atomloom_harmonizers() -> Iterable[HarmonizerSpec]:
    """Says what a reader had to leave out."""
    yield HarmonizerSpec(
        name="formats_left_out",
        summary="Reports fields that a reader left out because not all frames have them",
        load="atomloom_formats.left_out:report",
        example="atomloom_formats.left_out:example",
    )
