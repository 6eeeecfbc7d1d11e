"""What atomloom-dcmnet brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Field, LossSpec, ModelSpec, PostSpec, Preset, hookimpl

api = 1

_DCMNET = """@article{boittier2026dcmnet, author = {Boittier, Eric and others},
title = {Distributed charge models from equivariant neural networks}, journal = {arXiv:2602.07234}, year = {2026}}"""

_MDCM = """@article{unke2017minimal, author = {Unke, Oliver T. and Devereux, Mike and Meuwly, Markus},
title = {Minimal distributed charges: Multipolar quality at the cost of point charge electrostatics},
journal = {The Journal of Chemical Physics}, volume = {147}, pages = {161712}, year = {2017}}"""

_PAINN = """@inproceedings{schutt2021painn,
author = {Schütt, Kristof T. and Unke, Oliver T. and Gastegger, Michael},
title = {Equivariant message passing for the prediction of tensorial properties and molecular spectra},
booktitle = {Proceedings of the 38th International Conference on Machine Learning}, year = {2021}}"""

_COMPARES_NOTHING = "it makes the charges of sites small, and compares them with nothing"


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """The charges beside the atoms, and how much each point of a potential counts."""
    yield Field(
        name="dcm_charges",
        dims=("frame", "atom", "site"),
        unit="e",
        summary="Charges of the sites of each atom.",
        doc="Charges of the sites of each atom; over a frame they add up to its total charge.",
    )
    yield Field(
        name="dcm_positions",
        dims=("frame", "atom", "site", "xyz"),
        unit="angstrom",
        summary="Where the charges of each atom are.",
        doc="Where the charges of each atom are, near its nucleus.",
    )
    yield Field(
        name="molecule",
        dims=("frame",),
        dtype="int",
        summary="Number of the molecule, which several geometries share.",
        doc="Number of the molecule: frames of several geometries of one have the same.",
    )
    yield Field(
        name="esp_weight",
        dims=("frame", "grid"),
        summary="How much each point of a potential counts in a loss.",
        doc="How much each point of a potential counts in a loss; zero for none.",
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The network of distributed charges."""
    yield ModelSpec(
        name="dcmnet",
        summary="Distributed charges: off-centre point charges that reproduce the electrostatic potential",
        cite=(_DCMNET, _MDCM, _PAINN),
        load="atomloom_dcmnet.model:DCMNet",
        example="atomloom_dcmnet.example:example",
        needs=("Z", "R", "total_charge", "total_spin", "vdw_surface", "esp_weight"),
        predicts=("esp", "mono", "D", "quadrupole", "dcm_charges", "dcm_positions"),
        backend="jax",
        config="atomloom_dcmnet.config:ModelConfig",
        training={"learning_rate": 2e-3},
        losses={"potential": 1.0, "charges": 1.0},
        claims=frozenset({"permutation", "rotation", "reflection", "translation", "padding", "batch"}),
        presets={
            "small": Preset(below=30, model={"features": 32}, batching={"batch_size": 8}),
            "medium": Preset(below=100, model={"features": 64}, batching={"batch_size": 8}),
            "large": Preset(model={"features": 64}, batching={"batch_size": 2}),
        },
    )


@hookimpl
def atomloom_losses() -> Iterable[LossSpec]:
    """What distributed charges are trained to."""
    both = ("jax", "numpy")
    yield LossSpec(
        name="potential",
        summary="Mean squared error of the potential on the points that count, each molecule's mean first",
        load="atomloom_dcmnet.losses:potential",
        example="atomloom_dcmnet.example:surfaces",
        needs=("esp",),
        backends=both,
        unit="kcal^2/mol^2/e^2",
    )
    yield LossSpec(
        name="traceless_quadrupole",
        summary="Mean squared error of the components of the traceless quadrupole",
        load="atomloom_dcmnet.losses:traceless_quadrupole",
        example="atomloom_dcmnet.example:surfaces",
        needs=("quadrupole",),
        backends=both,
        unit="e^2*angstrom^4",
    )
    yield LossSpec(
        name="site_charges",
        summary="Mean square of the charges of all sites, to keep them small",
        load="atomloom_dcmnet.losses:site_charges",
        example="atomloom_dcmnet.example:surfaces",
        backends=both,
        unit="e^2",
        waivers={check: _COMPARES_NOTHING for check in ("truth", "padding", "gradient", "backends")},
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="dcmnet", summary="Distributed charges: fit and export them", load="atomloom_dcmnet.cli:dcmnet"
    )


@hookimpl
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """What a fitted run is judged by."""
    yield PostSpec(
        name="dcmnet-analysis",
        summary="Potential of predicted charges, beside the best that charges could do for each molecule",
        load="atomloom_dcmnet.checkpoints:dcmnet_analysis",
        example="atomloom_dcmnet.example:run",
        needs=("Z", "R", "esp", "vdw_surface"),
        predicted=("esp", "dcm_charges", "dcm_positions"),
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The demo of this package."""
    yield DemoSpec(
        name="dcmnet",
        summary="Distributed charges for small molecules, judged on others beside their own bounds",
        load="atomloom_dcmnet.demo:run",
    )
