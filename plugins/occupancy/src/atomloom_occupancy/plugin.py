"""What atomloom-occupancy brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import (
    CommandSpec,
    DemoSpec,
    Field,
    HarmonizerSpec,
    LossSpec,
    Matches,
    ModelSpec,
    PostSpec,
    ReaderSpec,
    hookimpl,
)

api = 1

_GEMMI = """@article{wojdyr2022gemmi, author = {Wojdyr, Marcin}, title = {{GEMMI}: A library for structural biology},
journal = {Journal of Open Source Software}, volume = {7}, pages = {4200}, year = {2022}}"""

_READ = """@article{read1990mltarget, author = {Read, Randy J.}, title = {Structure-factor probabilities for related
structures}, journal = {Acta Crystallographica Section A}, volume = {46}, pages = {900--912}, year = {1990}}"""

_FRENCH_WILSON = """@article{french1978, author = {French, Simon and Wilson, Keith}, title = {On the treatment of
negative intensity observations}, journal = {Acta Crystallographica Section A}, volume = {34}, pages = {517--525},
year = {1978}}"""

_MODEL = ("Z", "R", "occupancy", "b_iso", "aniso_u", "altloc", "chain", "seqid", "resname", "atom_name")
_CRYSTAL = ("cell", "space_group")
_ATOMS = (*_MODEL, "element", "pbc", *_CRYSTAL)
_OBSERVED = ("F_obs", "sigma_F", "I_obs", "sigma_I")
_REFLECTIONS = ("hkl", *_OBSERVED, "free_flag", "centric", "epsilon", *_CRYSTAL)

# Files of the PDB end in -sf.cif where they hold data; the other names hold models.
_MODELS = ("*[!f].cif", "*[!s]f.cif", "*[!-]sf.cif")


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What a crystal has beside the canonical fields."""
    reflection = ("frame", "reflection")
    yield Field(name="space_group", dims=("frame",), dtype="str", summary="Hermann-Mauguin symbol with its setting.")
    yield Field(name="atom_name", dims=("frame", "atom"), dtype="str", summary="Name of the atom in its residue.")
    yield Field(
        name="centric", dims=reflection, dtype="bool", summary="True where symmetry fixes the phase to two values."
    )
    yield Field(name="epsilon", dims=reflection, summary="How many times symmetry makes the mean intensity larger.")
    yield Field(name="model_alpha", dims=reflection, summary="The share of the expected amplitude that is right.")
    yield Field(name="model_beta", dims=reflection, summary="The variance of the observed amplitude about it.")


@hookimpl
def atomloom_harmonizers() -> Iterable[HarmonizerSpec]:
    """Amplitudes and free flags, where data lack them."""
    yield HarmonizerSpec(
        name="french-wilson",
        summary="F_obs from I_obs by French and Wilson's method",
        load="atomloom_occupancy.harmonizers:amplitudes_from_intensities",
        example="atomloom_occupancy.contract_examples:intensities",
        needs=("hkl", "I_obs", "sigma_I", *_CRYSTAL),
        gives=("F_obs", "sigma_F"),
        cite=(_FRENCH_WILSON,),
    )
    yield HarmonizerSpec(
        name="free-flags",
        summary="free_flag drawn with a seed",
        load="atomloom_occupancy.harmonizers:flags_made",
        example="atomloom_occupancy.contract_examples:intensities",
        needs=("hkl",),
        gives=("free_flag",),
    )


@hookimpl
def atomloom_losses() -> Iterable[LossSpec]:
    """The targets of refinement."""
    yield LossSpec(
        name="ml",
        summary="Negative logarithm of Read's likelihood of observed amplitudes",
        load="atomloom_occupancy.losses:ml",
        example="atomloom_occupancy.contract_examples:amplitudes",
        needs=("F_obs",),
        backends=("numpy", "jax", "torch"),
        waivers={"truth": "A likelihood is not zero anywhere, and lowest a little off the observed amplitudes."},
        cite=(_READ,),
    )
    yield LossSpec(
        name="ls",
        summary="Squared differences of amplitudes, by their variance",
        load="atomloom_occupancy.losses:ls",
        example="atomloom_occupancy.contract_examples:amplitudes",
        needs=("F_obs",),
        backends=("numpy", "jax", "torch"),
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """A crystal as a model that experiments can refine."""
    one = "A crystal is one frame whose reflections are divided by their flags, and the kit divides frames."
    yield ModelSpec(
        name="occupancy",
        summary="A crystal whose occupancies are refined exactly, with all else held",
        load="atomloom_occupancy.crystal_model:OccupancyModel",
        example="atomloom_occupancy.contract_examples:model",
        needs=(*_MODEL, *_CRYSTAL, "hkl", "F_obs", "free_flag"),
        predicts=("F_obs", "model_alpha", "model_beta", "occupancy"),
        config="atomloom_occupancy.crystal_model:Config",
        training={"num_epochs": 1},
        losses={"ml": 1.0},
        waivers={"fits": one},
        cite=(_READ,),
    )


@hookimpl
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """The report of a refinement."""
    yield PostSpec(
        name="occupancy-report",
        summary="Occupancies with uncertainties, flat directions, R and likelihood by shell, map peaks",
        load="atomloom_occupancy.occupancy_report:occupancy_report",
        example="atomloom_occupancy.occupancy_report:example",
        needs=("occupancy", "hkl", "F_obs"),
    )


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
