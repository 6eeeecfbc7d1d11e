"""The hooks of atomloom: what a plugin can bring, and what it can watch.

A plugin declares ``api = 1`` and implements some of these hooks, either as functions marked with ``@hookimpl`` in a
module or class, or as methods of an `atomloom.Plugin`. Its distribution names it in the entry-point group
``atomloom``::

    [project.entry-points.atomloom]
    mine = "atomloom_mine.plugin"

Every registration hook returns an iterable of specs. A spec points to its code as ``"module:attribute"``, which is
imported when it is used and never before, so the module that the entry point names should import nothing but
`atomloom`. Each example below is a whole plugin of one file, ``example.py``; a real one keeps the code that its specs
point to in modules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from atomloom.runs import Run
    from atomloom.specs import (
        BackendSpec,
        CommandSpec,
        DemoSpec,
        Field,
        HarmonizerSpec,
        LossSpec,
        ModelSpec,
        PostSpec,
        ReaderSpec,
        RendererSpec,
        WriterSpec,
    )

PROJECT = "atomloom"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def atomloom_fields() -> Iterable[Field]:
    """Fields of the data contract, beside the canonical ones.

    A column of a data set that carries the name or an alias of a field is taken for it. Two plugins that declare one
    name with different dims, unit or dtype are reported as a conflict that names both.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_fields():
            yield atomloom.Field(
                name="hirshfeld_volumes",
                summary="Volumes of the atoms in the molecule",
                dims=("frame", "atom"),
                unit="angstrom^3",
                aliases=("hirsh_vol", "atomic_volumes"),
            )
    """
    return ()


@hookspec
def atomloom_readers() -> Iterable[ReaderSpec]:
    """Readers of file formats: ``load`` resolves to ``(source, /, **options) -> Dataset``.

    `Matches` says how such a file or folder looks. It is data, so that a reader can be suggested without running its
    code; a saved experiment always names its reader. A Dataset whose columns read on demand keeps large files out of
    memory.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_readers():
            yield atomloom.ReaderSpec(
                name="energies",
                summary="One energy in eV per line",
                load="example:read",
                matches=atomloom.Matches(globs=("*.energies",)),
                provides=("E",),
            )

        def read(source, /):
            with open(source) as lines:
                return atomloom.Dataset.from_arrays({"E": [float(line) for line in lines]})
    """
    return ()


@hookspec
def atomloom_writers() -> Iterable[WriterSpec]:
    """Writers of file formats: ``load`` resolves to ``(dataset, target, /, **options) -> None``.

    A writer goes through the data set in blocks, so that the size of a file is not bounded by memory.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_writers():
            yield atomloom.WriterSpec(
                name="energies",
                summary="One energy in eV per line",
                load="example:write",
                matches=atomloom.Matches(globs=("*.energies",)),
            )

        def write(dataset, target, /):
            with open(target, "w") as file:
                for block in dataset.blocks():
                    file.writelines(f"{energy}\\n" for energy in block["E"])
    """
    return ()


@hookspec
def atomloom_harmonizers() -> Iterable[HarmonizerSpec]:
    """Rules that make a data set canonical: ``load`` resolves to ``(dataset, /, *, choices) -> (Dataset, findings)``.

    A harmonizer is pure: it returns another data set and what it found, and refuses to guess where the data fit two
    meanings. It runs once the fields that it needs are there; `choices` are the user's ``--as`` and ``--unit``.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_harmonizers():
            yield atomloom.HarmonizerSpec(
                name="qm9_charges",
                summary="QM9 documents that its molecules are neutral",
                load="example:neutral",
                needs=("Z",),
                gives=("total_charge",),
            )

        def neutral(dataset, /, *, choices):
            from atomloom.harmonizing import Finding

            if "total_charge" in dataset or dataset.meta.get("source") != "qm9.npz":
                return dataset, []
            charges = atomloom.Dataset.from_arrays({"total_charge": [0.0] * len(dataset)})
            finding = Finding("total_charge", "", rule="documented dialect", note="QM9 is neutral")
            return dataset.with_columns(charges.columns, charges.fields), [finding]
    """
    return ()


@hookspec
def atomloom_models() -> Iterable[ModelSpec]:
    """Models: ``load`` resolves to a subclass of `atomloom.Model`.

    The spec says which fields the model reads and predicts and which symmetries it claims, so that a plan can be
    checked against a data set before anything heavy is imported. A model without a ``fit`` is trained by its backend.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_models():
            yield atomloom.ModelSpec(
                name="mean",
                summary="Predicts the mean energy of the training set",
                load="example:Mean",
                needs=("Z",),
                predicts=("E",),
                backend="numpy",
                claims=frozenset({"permutation", "rotation", "translation", "padding", "batch"}),
            )

        class Mean(atomloom.Model):
            def init(self, schema, config, seed):
                return {"mean": 0.0}

            def predict(self, state, batch):
                return {"E": [state["mean"] for _ in batch["frame_mask"]]}

            def fit(self, state, data, losses, run):
                for epoch in run.epochs(1):
                    state = {"mean": data.train["E"].mean()}
                    epoch.save(self.leaves(state), {})
                return state
    """
    return ()


@hookspec
def atomloom_losses() -> Iterable[LossSpec]:
    """Losses: ``load`` resolves to a pure ``(predicted, target, weight, ops) -> (sum per frame, count)``.

    `ops` is the backend's array library (``xp``, ``segment_sum``, ...), so one loss serves every backend that it
    declares. Sums and counts instead of means make accumulation over batches, and padding, exact.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_losses():
            yield atomloom.LossSpec(
                name="squared_energy",
                summary="Squared error of the energy",
                load="example:squared",
                needs=("E",),
                backends=("numpy",),
            )

        def squared(predicted, target, weight, ops):
            return weight * (predicted["E"] - target["E"]) ** 2, weight
    """
    return ()


@hookspec
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """Judgements of a finished run: ``load`` resolves to ``(run, dataset, /, **options) -> Report``.

    They are the modes of ``atomloom evaluate RUN --data PATH --mode NAME``.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_postprocessors():
            yield atomloom.PostSpec(
                name="count",
                summary="How many frames there are to judge the run by",
                load="example:count",
            )

        def count(run, dataset, /):
            return atomloom.Report(f"{len(dataset)} frames")
    """
    return ()


@hookspec
def atomloom_backends() -> Iterable[BackendSpec]:
    """Array libraries with a way to train: ``load`` resolves to an instance of `atomloom.Backend`.

    A backend brings the default ``fit`` of the models that name it, the ``ops`` of the losses and the struct of its
    training options. `devices` is asked by ``atomloom info`` and therefore only for backends that answer cheaply.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_backends():
            yield atomloom.BackendSpec(
                name="lazy",
                summary="Leaves every state as it was initialised",
                load="example:BACKEND",
                devices="example:devices",
            )

        def devices():
            return ["armchair"]

        class Lazy(atomloom.Backend):
            def fit(self, model, state, data, losses, run):
                return state

        BACKEND = Lazy()
    """
    return ()


@hookspec
def atomloom_commands() -> Iterable[CommandSpec]:
    """Subcommands of ``atomloom``: ``load`` resolves to a click command or group.

    ``atomloom --help`` lists the summary without importing the command. A command cannot take the name of one of
    core's; where two plugins bring one name, ``atomloom PLUGIN:NAME`` chooses.

    Example::

        import atomloom
        import click

        api = 1

        @atomloom.hookimpl
        def atomloom_commands():
            yield atomloom.CommandSpec(name="greet", summary="Say hello", load="example:greet")

        @click.command()
        @click.argument("name")
        def greet(name):
            click.echo(f"Hello {name}")
    """
    return ()


@hookspec
def atomloom_demos() -> Iterable[DemoSpec]:
    """Small complete jobs for ``atomloom demo``: ``load`` resolves to ``(folder, /) -> Report``.

    A demo brings or makes its data, works within the folder that it is given, needs no network and no accelerator,
    and takes a minute at most.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_demos():
            yield atomloom.DemoSpec(name="empty", summary="A report of nothing", load="example:demo")

        def demo(folder, /):
            (folder / "nothing.txt").write_text("Nothing was done.")
            return atomloom.Report("Nothing")
    """
    return ()


@hookspec
def atomloom_renderers() -> Iterable[RendererSpec]:
    """Renderers of reports: ``load`` resolves to ``(report, folder, /) -> Path | None``, the main file.

    Example::

        import atomloom

        api = 1

        @atomloom.hookimpl
        def atomloom_renderers():
            yield atomloom.RendererSpec(
                name="title",
                summary="Only the title",
                load="example:render",
                suffix=".title",
            )

        def render(report, folder, /):
            target = folder / "report.title"
            target.write_text(report.title)
            return target
    """
    return ()


@hookspec
def atomloom_run_started(run: Run) -> None:
    """Called once when a run starts or resumes.

    Observers watch; what they return is not used. An observer that raises is logged and never stops a run.

    Example::

        import atomloom

        api = 1
        started = []

        @atomloom.hookimpl
        def atomloom_run_started(run):
            started.append(run.folder.name)
    """


@hookspec
def atomloom_steps_finished(run: Run, block: Mapping[str, Any]) -> None:
    """Called with a block of optimisation steps after their metrics were fetched from the device.

    `block` maps the name of each metric to an array with one value per step, so that watching a run does not wait for
    the device at every step.

    Example::

        import atomloom

        api = 1
        steps = []

        @atomloom.hookimpl
        def atomloom_steps_finished(block):
            steps.append(len(block["loss"]))
    """


@hookspec
def atomloom_run_finished(run: Run, outcome: str) -> None:
    """Called once when a run ends: `outcome` is ``"finished"``, ``"interrupted"`` or ``"failed"``.

    Example::

        import atomloom

        api = 1
        outcomes = []

        @atomloom.hookimpl
        def atomloom_run_finished(run, outcome):
            outcomes.append(f"{run.folder.name} {outcome}")
    """
