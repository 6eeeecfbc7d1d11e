"""What atomloom-occupancy brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Matches, ReaderSpec, hookimpl

api = 1

_GEMMI = """@article{wojdyr2022gemmi, author = {Wojdyr, Marcin}, title = {{GEMMI}: A library for structural biology},
journal = {Journal of Open Source Software}, volume = {7}, pages = {4200}, year = {2022}}"""

_ATOMS = ("Z", "R", "occupancy", "b_iso", "aniso_u", "altloc", "chain", "seqid", "resname", "element", "cell", "pbc")
_REFLECTIONS = ("hkl", "F_obs", "sigma_F", "free_flag", "cell")

# Files of the PDB end in -sf.cif where they hold data; the other names hold models.
_MODELS = ("*[!f].cif", "*[!s]f.cif", "*[!-]sf.cif")


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """The readers of this package."""
    yield ReaderSpec(
        name="pdb",
        summary="PDB file of a crystal's model",
        load="atomloom_occupancy.reading:read_model",
        example="atomloom_occupancy.examples:pdb_file",
        matches=Matches(globs=("*.pdb", "*.pdb.gz", "*.ent", "*.ent.gz")),
        provides=_ATOMS,
        cite=(_GEMMI,),
    )
    yield ReaderSpec(
        name="mmcif",
        summary="mmCIF file of a crystal's model",
        load="atomloom_occupancy.reading:read_model",
        example="atomloom_occupancy.examples:mmcif_file",
        matches=Matches(globs=(*_MODELS, *(f"{each}.gz" for each in _MODELS), "*.mmcif")),
        provides=_ATOMS,
        cite=(_GEMMI,),
    )
    yield ReaderSpec(
        name="mtz",
        summary="MTZ file of merged reflections",
        load="atomloom_occupancy.reading:read_data",
        example="atomloom_occupancy.examples:mtz_file",
        matches=Matches(globs=("*.mtz",), magic=(b"MTZ ",)),
        provides=_REFLECTIONS,
        cite=(_GEMMI,),
    )
    yield ReaderSpec(
        name="sf-mmcif",
        summary="SF-mmCIF file of merged reflections, as the PDB has them",
        load="atomloom_occupancy.reading:read_data",
        example="atomloom_occupancy.examples:sf_file",
        matches=Matches(globs=("*-sf.cif", "*-sf.cif.gz")),
        provides=_REFLECTIONS,
        cite=(_GEMMI,),
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="occupancy", summary="Crystallographic occupancies: refine, check", load="atomloom_occupancy.cli:occupancy"
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The demo of this package."""
    yield DemoSpec(
        name="occupancy",
        summary="A small crystal with altlocs, a partial ligand and coupled waters, refined from wrong starts",
        load="atomloom_occupancy.demo:run",
    )
