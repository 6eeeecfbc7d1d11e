"""What atomloom-physnet brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Field, ModelSpec, Preset, hookimpl

api = 1

_PHYSNET = """@article{unke2019physnet, author = {Unke, Oliver T. and Meuwly, Markus},
title = {{PhysNet}: A Neural Network for Predicting Energies, Forces, Dipole Moments, and Partial Charges},
journal = {Journal of Chemical Theory and Computation}, volume = {15}, pages = {3678}, year = {2019},
doi = {10.1021/acs.jctc.9b00181}}"""

_SPOOKYNET = """@article{unke2021spookynet, author = {Unke, Oliver T. and others},
title = {{SpookyNet}: Learning force fields with electronic degrees of freedom and nonlocal effects},
journal = {Nature Communications}, volume = {12}, pages = {7273}, year = {2021},
doi = {10.1038/s41467-021-27504-0}}"""

_PAINN = """@inproceedings{schutt2021painn,
author = {Schütt, Kristof T. and Unke, Oliver T. and Gastegger, Michael},
title = {Equivariant message passing for the prediction of tensorial properties and molecular spectra},
booktitle = {Proceedings of the 38th International Conference on Machine Learning}, year = {2021}}"""

_ZBL = """@book{ziegler1985stopping, author = {Ziegler, James F. and Biersack, Jochen P. and Littmark, Uwe},
title = {The Stopping and Range of Ions in Solids}, publisher = {Pergamon}, year = {1985}}"""

_D3 = """@article{grimme2010dispersion,
author = {Grimme, Stefan and Antony, Jens and Ehrlich, Stephan and Krieg, Helge},
title = {A consistent and accurate ab initio parametrization of density functional dispersion correction ({DFT-D})},
journal = {The Journal of Chemical Physics}, volume = {132}, pages = {154104}, year = {2010},
doi = {10.1063/1.3382344}}"""


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What keeps the states of one geometry together when data are split."""
    yield Field(
        name="geometry",
        dims=("frame",),
        dtype="int",
        summary="Number of the geometry, which several electronic states share.",
        doc="Number of the geometry: frames of several electronic states that share one have the same.",
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The potential that knows charge and spin."""
    yield ModelSpec(
        name="physnet",
        summary="Potential that knows charge and spin: energies, forces, charges and dipoles of many electronic states",
        cite=(_PHYSNET, _SPOOKYNET, _PAINN, _ZBL, _D3),
        load="atomloom_physnet.model:PhysNet",
        example="atomloom_physnet.bundled:example",
        needs=("Z", "R", "total_charge", "total_spin"),
        predicts=("E", "F", "mono", "D"),
        certificate=True,
        levels=True,
        backend="jax",
        config="atomloom_physnet.config:Config",
        training={"learning_rate": 2e-3},
        losses={"energy": 0.5, "forces": 10.0, "charges": 1.0, "dipole": 1.0},
        claims=frozenset({"permutation", "rotation", "reflection", "translation", "padding", "batch", "conservative"}),
        presets={
            "small": Preset(below=30, model={"features": 64}, batching={"batch_size": 8}),
            "medium": Preset(below=100, model={"features": 128}, batching={"batch_size": 16}),
            "large": Preset(model={"features": 128, "coulomb_cutoff": 12.0}, batching={"atoms": 1024}),
        },
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="physnet",
        summary="Electronic states of a structure, and potentials exported into one file",
        load="atomloom_physnet.cli:physnet",
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The demo of this package."""
    yield DemoSpec(
        name="physnet",
        summary="One potential for the ions, radicals and triplets of 32 small molecules, and the gaps between them",
        load="atomloom_physnet.demo:run",
    )
