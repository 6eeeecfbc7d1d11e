"""What atomloom-residues brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Matches, ModelSpec, PostSpec, ReaderSpec, hookimpl

api = 1

_EDM2 = """@inproceedings{karras2024edm2, author = {Karras, Tero and others},
title = {Analyzing and Improving the Training Dynamics of Diffusion Models}, booktitle = {CVPR}, year = {2024},
eprint = {2312.02696}}"""

_SOUPS = """@inproceedings{wortsman2022soups, author = {Wortsman, Mitchell and others},
title = {Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference
time}, booktitle = {ICML}, year = {2022}, eprint = {2203.05482}}"""


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """Folders of length buckets."""
    yield ReaderSpec(
        name="buckets",
        summary="Folder of length buckets, bucket_N0100.npz and so on, as one data set without padding",
        load="atomloom_residues.bucket_reading:read",
        example="atomloom_residues.bucket_reading:example",
        matches=Matches(holds=("bucket_N*.npz",)),
        provides=("R", "F", "Z", "species", "resid", "resname", "E", "protein_id"),
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
