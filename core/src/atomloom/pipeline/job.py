"""Matches data, model and losses before anything is computed: what fits together, and what is missing for the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace as replaced

from atomloom.data import Dataset
from atomloom.data.levels import levels_of, numbered
from atomloom.errors import ConfigError, DataError, PluginError
from atomloom.experiment import AsFlags, Experiment, Place, build, plain
from atomloom.harmonizing import HarmonizeReport, require
from atomloom.harmonizing.checks import check_finite
from atomloom.model import Backend, FitData, Model, Schema, WeightedLoss
from atomloom.pipeline import leakage, presets
from atomloom.pipeline.sources import Harmonised, load_data
from atomloom.pipeline.splitting import PARTS, Parts, split
from atomloom.registry import Contribution, registry, resolve
from atomloom.runs import tracking
from atomloom.specs import BackendSpec, LossSpec, ModelSpec, Preset


@dataclass(frozen=True)
class Job:
    """An experiment with everything that it names found, checked and loaded.

    Args:
        experiment: with resolved paths.
        data: the whole harmonised data set, with its report.
        parts: how it is split.
        model: the model; `model_spec` what it says of itself, `config` its options.
        backend: of the model; `training` its options.
        losses: those that are on.
        off: losses that the model has on by default and that the data cannot serve, with the reason.
        used: every contribution that the run uses, for citations.
        warnings: what somebody who trusts the test part should know.
        preset: the preset that is under what the experiment gives; its values are in `config`, `training` and
            `experiment` already.
    """

    experiment: Experiment
    data: Harmonised
    parts: Parts
    model: Model[Any]
    model_spec: ModelSpec
    config: msgspec.Struct
    backend: Backend
    training: msgspec.Struct
    losses: tuple[WeightedLoss, ...]
    off: dict[str, str]
    used: tuple[Contribution, ...]
    warnings: tuple[str, ...] = ()
    preset: presets.Applied | None = None

    @property
    def report(self) -> HarmonizeReport:
        """How the data was harmonised."""
        return self.data.report

    @property
    def schema(self) -> Schema:
        """What the model may know of its data beforehand."""
        return schema_of(self.data.dataset)

    def fresh(self) -> Any:
        """The state that the model begins with."""
        return self.model.init(self.schema, self.config, int(getattr(self.training, "seed", 0)))

    def fit_data(self) -> FitData:
        """The parts to learn from and to watch."""
        dataset, parts = self.data.dataset, self.parts
        return FitData(
            train=dataset[parts.train],
            valid=dataset[parts.valid],
            batching=self.experiment.batching,
            seed=int(getattr(self.training, "seed", 0)),
            needs=self.model_spec.needs,
            numbers={"train": parts.train, "valid": parts.valid},
        )


def prepare(experiment: Experiment, place: Place | None = None, data: Harmonised | None = None) -> Job:
    """The job that an experiment with resolved paths describes, or the exact reason why it is none.

    Args:
        place: where the experiment was written, for messages.
        data: what its sources hold, where that was read before.
    """
    where: Place = place or AsFlags()
    if experiment.tracking is not None:
        tracking.check({"tracking": plain(experiment.tracking)})
    contribution, spec, model = load_model(experiment.model_name)
    backend_found = registry().get("backends", spec.backend)
    backend_spec = backend_found.spec
    assert isinstance(backend_spec, BackendSpec)
    presets.check(experiment, spec, where)
    preset = presets.chosen(experiment, spec)
    config, training = _options(experiment, spec, backend_spec, preset, where)
    data = data or load_data(experiment.data.source)
    if experiment.preset == presets.AUTO:
        preset = presets.chosen(experiment, spec, longest_of(data.dataset))
        config, training = _options(experiment, spec, backend_spec, preset, where)
    data = replace(data, dataset=model.complete(data.dataset, config))
    if spec.levels:
        known = levels_of(data.dataset)
        spec = spec.for_levels(known)
        data = replace(data, dataset=numbered(data.dataset, known))
    require(data.dataset, spec.needs, f"fit the model {spec.name!r}")
    losses, off, loss_found = _losses(experiment, spec, data.dataset)
    parts = split(data.dataset, experiment.data.split)
    model.check({name: data.dataset[getattr(parts, name)] for name in PARTS}, config)
    _check_labels(data.dataset, parts, losses)
    readers = {name: registry().get("readers", name) for name in (source.reader for source in experiment.data.source)}
    job = Job(
        experiment=replaced(experiment, preset=None, search=None, batching=presets.batching(experiment, preset)),
        data=data,
        parts=parts,
        model=model,
        model_spec=spec,
        config=config,
        backend=resolve(backend_spec.load),
        training=training,
        losses=losses,
        off=off,
        used=(contribution, backend_found, *loss_found, *readers.values()),
        warnings=tuple(leakage.warnings(data.dataset, parts, experiment.data.split)),
        preset=preset,
    )
    _check_batches(job.fit_data())
    job.backend.check(job.model, job.fit_data(), job.training)
    job.backend.check_start(job.model, job.fresh, job.training)
    return job


def _options(
    experiment: Experiment, spec: ModelSpec, backend: BackendSpec, preset: presets.Applied | None, where: Place
) -> tuple[msgspec.Struct, msgspec.Struct]:
    """The options of the model and of its training: what is given, else the preset's, else the model's own."""
    under = preset.preset if preset else Preset()
    config = build(options_of(spec.config), experiment.model_options, where.under("model"), under.model)
    defaults = {**spec.training, **under.training}
    return config, build(options_of(backend.training), experiment.training, where.under("training"), defaults)


def load_model(name: str) -> tuple[Contribution, ModelSpec, Model[Any]]:
    """A model by name, made from what its spec loads: a `Model`, or a class of one."""
    contribution = registry().get("models", name)
    spec = contribution.spec
    assert isinstance(spec, ModelSpec)
    found = resolve(spec.load)
    model = found() if isinstance(found, type) else found
    if not isinstance(model, Model):
        kind = type(model).__name__
        found_instead = f"{spec.load} of {contribution.plugin} is a {kind} and no atomloom.Model"
        raise PluginError(f"load the model {name!r}", found_instead, "Report this to the plugin's authors")
    return contribution, spec, model


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of a model or backend that names none."""


def options_of(reference: str) -> type[msgspec.Struct]:
    """The struct of options that a spec names."""
    if not reference:
        return NoOptions
    struct = resolve(reference)
    if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
        raise PluginError(
            f"use the options {reference}", "it is no msgspec.Struct", "Report this to the plugin's authors"
        )
    return struct


def schema_of(dataset: Dataset) -> Schema:
    """The declarations, elements, longest frame and levels of theory of a data set."""
    elements: set[int] = set()
    for batch in dataset.blocks(4096, ["Z"]) if "Z" in dataset else ():
        elements.update(np.unique(batch["Z"]).tolist())
    fields = {name: field for name, field in dataset.fields.items() if field.dims}
    return Schema(fields, tuple(sorted(elements)), longest_of(dataset), levels_of(dataset))


def longest_of(dataset: Dataset) -> int:
    """Atoms of the longest frame."""
    return int(dataset.sizes["atom"].max(initial=0)) if "atom" in dataset.sizes else 0


def _losses(
    experiment: Experiment, spec: ModelSpec, dataset: Dataset
) -> tuple[tuple[WeightedLoss, ...], dict[str, str], list[Contribution]]:
    """The losses that are on; one that the user named must be served, one that is on by default may be switched off."""
    named = dict(experiment.losses)
    wanted = named or dict(spec.losses)
    on, off, used = [], {}, []
    for name, weight in wanted.items():
        contribution = registry().get("losses", name)
        loss = contribution.spec
        assert isinstance(loss, LossSpec)
        try:
            _check_loss(loss, spec, dataset)
        except (ConfigError, DataError) as error:
            if named:
                raise
            off[name] = error.found
            continue
        on.append(WeightedLoss(name, weight, loss.needs, resolve(loss.load)))
        used.append(contribution)
    if not on:
        found = (
            "; ".join(f"{name}: {reason}" for name, reason in off.items()) or "none is named and none is on by default"
        )
        todo = "Bring what they compare, or name another loss under [losses]" if off else "Name one under [losses]"
        raise ConfigError(f"fit the model {spec.name!r}", f"no loss is left to lower ({found})", todo)
    return tuple(on), off, used


def _check_loss(loss: LossSpec, spec: ModelSpec, dataset: Dataset) -> None:
    missing = [name for name in loss.needs if name not in spec.predicts]
    if missing:
        found = f"it compares {', '.join(missing)}, and the model predicts {', '.join(spec.predicts)}"
        raise ConfigError(f"use the loss {loss.name!r} with the model {spec.name!r}", found, "Leave it out")
    if spec.backend not in loss.backends:
        found = f"it runs on {', '.join(loss.backends)}, and the model on {spec.backend}"
        raise ConfigError(f"use the loss {loss.name!r} with the model {spec.name!r}", found, "Leave it out")
    require(dataset, loss.needs, f"use the loss {loss.name!r}")


def _check_batches(data: FitData) -> None:
    """Stops at frames that no batch has room for, before a run is made of the job."""
    for part in (data.train, data.valid):
        if len(part):
            data.plan(part)


def _check_labels(dataset: Dataset, parts: Parts, losses: tuple[WeightedLoss, ...]) -> None:
    for name in dict.fromkeys(need for loss in losses for need in loss.needs):
        for part in ("train", "valid"):
            check_finite(dataset, name, getattr(parts, part))
