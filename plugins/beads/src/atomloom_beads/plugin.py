"""What atomloom-beads brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import Field, ModelSpec, hookimpl

api = 1

_SCHNET = """@article{schuett2018schnet, author = {Schütt, K. T. and others},
title = {{SchNet} -- a deep learning architecture for molecules and materials}, journal = {J. Chem. Phys.},
volume = {148}, pages = {241722}, year = {2018}}"""

_CGNET = """@article{wang2019cgnet, author = {Wang, J. and others},
title = {Machine Learning of Coarse-Grained Molecular Dynamics Force Fields}, journal = {ACS Cent. Sci.},
volume = {5}, pages = {755}, year = {2019}}"""


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What the network tells beads apart by."""
    yield Field(
        name="bead_kind",
        dims=("frame", "atom"),
        summary="What a bead is, a number for its element and residue together.",
        doc="What a bead is: its atomic number, and 119 times the place of its residue among those that have a name.",
        dtype="int",
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The network."""
    yield ModelSpec(
        name="bead-network",
        summary="Chains of beads: springs fitted in closed form, and messages between beads for what they leave",
        load="atomloom_beads.model:BeadNetwork",
        example="atomloom_beads.model:example",
        needs=("R", "bead_kind"),
        predicts=("E", "F"),
        backend="jax",
        config="atomloom_beads.model:Config",
        training={"learning_rate": 3e-3},
        losses={"forces": 1.0},
        claims=frozenset({"rotation", "reflection", "translation", "padding", "batch", "conservative"}),
        cite=(_SCHNET, _CGNET),
    )
