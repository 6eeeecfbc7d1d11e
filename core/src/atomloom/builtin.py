"""Core's own contributions, brought through the same hooks as any plugin's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atomloom.hooks import hookimpl
from atomloom.specs import (
    BackendSpec,
    CommandSpec,
    DemoSpec,
    Field,
    HarmonizerSpec,
    LossSpec,
    Matches,
    ModelSpec,
    PostSpec,
    ReaderSpec,
    WriterSpec,
)

if TYPE_CHECKING:
    from atomloom.runs import Run

api = 1

_EXAMPLES = "atomloom.testing.examples"

_RUPP = """@article{rupp2012fast,
  author = {Rupp, Matthias and Tkatchenko, Alexandre and Müller, Klaus-Robert and von Lilienfeld, O. Anatole},
  title = {Fast and Accurate Modeling of Molecular Atomization Energies with Machine Learning},
  journal = {Physical Review Letters},
  volume = {108},
  pages = {058301},
  year = {2012},
  doi = {10.1103/PhysRevLett.108.058301}
}"""


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """The canonical fields."""
    from atomloom.fields import CANONICAL

    return CANONICAL


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The commands of the static table, which the command line reads without asking the registry."""
    from atomloom.cli.table import COMMANDS

    return (CommandSpec(name=each.name, summary=each.summary, load=each.load) for each in COMMANDS)


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """NPZ and NPY."""
    module = "atomloom.readers.numpy_files"
    npz = Matches(globs=("*.npz",), magic=(b"PK\x03\x04",))
    npy = Matches(globs=("*.npy",), magic=(b"\x93NUMPY",))
    return (
        ReaderSpec(
            name="npz",
            summary="Arrays of a data set in one NPZ file",
            load=f"{module}:read_npz",
            example=f"{_EXAMPLES}:npz",
            matches=npz,
        ),
        ReaderSpec(
            name="npy",
            summary="One array of a data set in an NPY file",
            load=f"{module}:read_npy",
            example=f"{_EXAMPLES}:npy",
            matches=npy,
        ),
    )


@hookimpl
def atomloom_writers() -> Iterable[WriterSpec]:
    """NPZ."""
    npz = Matches(globs=("*.npz",))
    return (
        WriterSpec(
            name="npz",
            summary="Padded arrays in one NPZ file",
            load="atomloom.writers.npz:write_npz",
            example=f"{_EXAMPLES}:charged_molecules",
            matches=npz,
        ),
    )


@hookimpl
def atomloom_harmonizers() -> Iterable[HarmonizerSpec]:
    """Fields that follow from others."""
    rules = (
        ("forces-from-gradient", "F is the negative gradient", "forces_from_gradient", "gradients", "gradient", "F"),
        (
            "multiplicity",
            "total_spin from unpaired electrons",
            "multiplicity_from_unpaired",
            "unpaired",
            "unpaired_electrons",
            "total_spin",
        ),
        ("atoms-counted", "N from the length of R", "atoms_counted", "molecules", "R", "N"),
        ("grid-counted", "n_grid from the length of esp", "grid_counted", "potentials", "esp", "n_grid"),
    )
    return (
        HarmonizerSpec(
            name=name,
            summary=doc,
            load=f"atomloom.harmonizing.rules:{code}",
            example=f"{_EXAMPLES}:{example}",
            needs=(needs,),
            gives=(gives,),
        )
        for name, doc, code, example, needs, gives in rules
    )


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The example of the tutorial."""
    ridge = ModelSpec(
        name="ridge",
        summary="Ridge regression of the energy on Coulomb-matrix spectra, in numpy",
        cite=(_RUPP,),
        load="atomloom.examples.ridge:Ridge",
        example=f"{_EXAMPLES}:ridge",
        needs=("Z", "R"),
        predicts=("E",),
        backend="numpy",
        config="atomloom.examples.ridge:Config",
        losses={"energy": 1.0},
        claims=frozenset({"permutation", "rotation", "reflection", "translation", "padding", "batch"}),
    )
    return (ridge,)


@hookimpl
def atomloom_losses() -> Iterable[LossSpec]:
    """Mean squared errors."""
    losses = {
        "energy": ("E", "eV^2", "Mean squared error of the energy"),
        "energy_per_atom": ("E", "eV^2", "Mean squared error of the energy divided by the number of atoms"),
        "forces": ("F", "eV^2/angstrom^2", "Mean squared error of the force components"),
        "charges": ("mono", "e^2", "Mean squared error of the atomic charges"),
        "dipole": ("D", "e^2*angstrom^2", "Mean squared error of the dipole components"),
    }
    return (
        LossSpec(
            name=name,
            summary=summary,
            load=f"atomloom.losses:{name}",
            example=f"{_EXAMPLES}:charged_molecules",
            needs=(field,),
            backends=("numpy", "jax", "torch"),
            unit=unit,
        )
        for name, (field, unit, summary) in losses.items()
    )


@hookimpl
def atomloom_backends() -> Iterable[BackendSpec]:
    """numpy, whose models bring their own fit."""
    module = "atomloom.numpy_backend"
    summary = "Models in numpy, each with a fit of its own"
    return (BackendSpec(name="numpy", summary=summary, load=f"{module}:BACKEND", training=f"{module}:Training"),)


@hookimpl
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """The errors of a run's predictions, and whether its model keeps what it promises."""
    errors = "Errors of all that the model predicts and the data holds"
    invariance = "Whether the model is what it claims: its symmetries, its forces, padding and batches"
    run = f"{_EXAMPLES}:ridge_run"
    return (
        PostSpec(name="errors", summary=errors, load="atomloom.pipeline.error_report:errors", example=run),
        PostSpec(name="invariance", summary=invariance, load="atomloom.invariance:invariance", example=run),
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The ridge model on shaken molecules."""
    summary = "Fits shaken molecules of known energy with the ridge model (a few seconds)"
    return (DemoSpec(name="core", summary=summary, load="atomloom.examples.demo:run"),)


@hookimpl
def atomloom_run_started(run: Run) -> None:
    """Begin to follow a run in the services that it names."""
    if "tracking" in run.config:
        from atomloom.runs import tracking

        tracking.started(run)


@hookimpl
def atomloom_steps_finished(run: Run, block: Mapping[str, Any]) -> None:
    """Tell them of a block of steps."""
    if "tracking" in run.config:
        from atomloom.runs import tracking

        tracking.continued(run, block)


@hookimpl
def atomloom_run_finished(run: Run, outcome: str) -> None:
    """Tell them how it ended."""
    if "tracking" in run.config:
        from atomloom.runs import tracking

        tracking.ended(run, outcome)
