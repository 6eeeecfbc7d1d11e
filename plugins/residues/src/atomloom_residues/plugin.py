"""What atomloom-residues brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, Matches, PostSpec, ReaderSpec, hookimpl

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
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """What a fitted run is judged by."""
    yield PostSpec(
        name="checkpoint-average",
        summary="Last, best and averaged checkpoints of a run beside each other",
        load="atomloom_residues.average_report:compare",
        example="atomloom_residues.average_report:example",
        cite=(_EDM2, _SOUPS),
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="residues", summary="Protein forces: length buckets, checkpoints", load="atomloom_residues.cli:residues"
    )
