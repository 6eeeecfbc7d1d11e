"""What atomloom-residues brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Field, LossSpec, Matches, ModelSpec, PostSpec, ReaderSpec, hookimpl

api = 1

_EDM2 = """@inproceedings{karras2024edm2, author = {Karras, Tero and others},
title = {Analyzing and Improving the Training Dynamics of Diffusion Models}, booktitle = {CVPR}, year = {2024},
eprint = {2312.02696}}"""

_SOUPS = """@inproceedings{wortsman2022soups, author = {Wortsman, Mitchell and others},
title = {Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference
time}, booktitle = {ICML}, year = {2022}, eprint = {2203.05482}}"""


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What tells how much of an error is noise of the data."""
    yield Field(
        name="F_mean",
        dims=("frame", "atom", "xyz"),
        unit="eV/angstrom",
        summary="Mean forces on the beads, of which F is one noisy sample.",
        doc="Mean forces on the beads, of which F is one noisy sample: no model can come nearer to F than they.",
    )


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """Folders of length buckets."""
    yield ReaderSpec(
        name="buckets",
        summary="Folder of length buckets, bucket_N0100.npz and so on, as one data set without padding",
        load="atomloom_residues.bucket_reading:read",
        example="atomloom_residues.bucket_reading:example",
        matches=Matches(holds=("bucket_N*.npz",)),
        provides=("R", "F", "F_mean", "Z", "species", "resid", "resname", "E", "protein_id"),
    )


@hookimpl
def atomloom_losses() -> Iterable[LossSpec]:
    """Forces with every structure counting alike."""
    yield LossSpec(
        name="forces_per_structure",
        summary="Mean squared error of the force components of each structure, every structure counting alike",
        load="atomloom_residues.losses:forces_per_structure",
        example="atomloom.testing.examples:molecules",
        needs=("F",),
        backends=("numpy", "jax", "torch"),
        unit="eV^2/angstrom^2",
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The prior that a model of forces has to beat."""
    yield ModelSpec(
        name="chain-prior",
        summary="Springs along the chain, fitted to forces in closed form: what a model of forces has to beat",
        load="atomloom_residues.chain_prior:ChainPrior",
        example="atomloom_residues.chain_prior:example",
        needs=("R",),
        predicts=("E", "F"),
        config="atomloom_residues.chain_prior:Config",
        training={"num_epochs": 1},
        losses={"forces": 1.0},
        claims=frozenset({"rotation", "reflection", "translation", "padding", "batch", "conservative"}),
    )


@hookimpl
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """What a fitted run is judged by."""
    yield PostSpec(
        name="per-residue",
        summary="Force errors by amino acid, along the chain and by other strata, with intervals",
        load="atomloom_residues.residue_post:per_residue",
        example="atomloom_residues.residue_post:example",
        needs=("F",),
        predicted=("F",),
        waivers={"run_kept": "Its tables go to the run's analysis, beside the report of the evaluation."},
    )
    yield PostSpec(
        name="layouts",
        summary="Whether a model of forces is one function padded, in buckets and packed, with its loss and gradient",
        load="atomloom_residues.layouts:certify",
        example="atomloom_residues.layouts:example",
        needs=("F",),
        predicted=("F",),
    )
    yield PostSpec(
        name="checkpoint-average",
        summary="Last, best and averaged checkpoints of a run beside each other",
        load="atomloom_residues.average_report:compare",
        example="atomloom_residues.average_report:example",
        cite=(_EDM2, _SOUPS),
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The demo of this package."""
    yield DemoSpec(
        name="residues",
        summary="Chains with known forces: length buckets, averages of checkpoints, errors by residue",
        load="atomloom_residues.demo:run",
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="residues", summary="Protein forces: errors, buckets, checkpoints", load="atomloom_residues.cli:residues"
    )
