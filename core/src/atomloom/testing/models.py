"""What models promise: the fields that they say, the symmetries that they claim, a state that survives being saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from atomloom.data import Dataset
from atomloom.data.columns import Array
from atomloom.data.schema import declared
from atomloom.harmonizing import require
from atomloom.invariance import PROBES, Probe, Trial
from atomloom.invariance.moving import exchanged
from atomloom.invariance.precision import precision_of, tolerance
from atomloom.invariance.trial import largest, tight_batch
from atomloom.model import Model
from atomloom.pipeline import Fitted, fit
from atomloom.pipeline.job import load_model, options_of, schema_of
from atomloom.registry import Contribution, registry, resolve
from atomloom.runs.checkpoint import Checkpoint, load, save
from atomloom.specs import ModelSpec
from atomloom.testing.check import Broken, Check, demand
from atomloom.testing.comparing import as_dataset, same_rows
from atomloom.testing.fitting import job_for
from atomloom.testing.subject import Subject

STIR = 0.05
"""How far the numbers of a fresh state are moved where a model would predict the same for all frames with them."""


def predicts(subject: Subject) -> str:
    """The fields, shapes and numbers of a prediction."""
    fitted, dataset = fresh(subject.found)
    batch = tight_batch(fitted, dataset)
    found = fitted.predict(batch)
    missing, odd = set(fitted.spec.predicts) - set(found), set(found) - set(fitted.spec.predicts)
    demand(not missing, f"it says that it predicts {', '.join(sorted(missing))}, and gives {', '.join(found)}")
    demand(not odd, f"it gives {', '.join(sorted(odd))}, and does not say so")
    for name, values in found.items():
        axis = declared(name).ragged or "frame"
        real = batch[f"{axis}_mask"]
        demand(np.shape(values)[:1] == real.shape, f"{name} is {list(np.shape(values))} in {len(real)} slots")
        demand(bool(np.isfinite(np.asarray(values)[real]).all()), f"{name} is not finite")
    return ", ".join(f"{name} {np.asarray(values).dtype}" for name, values in found.items())


def repeatable(subject: Subject) -> None:
    """Two states of one seed, and two predictions of one state."""
    fitted, dataset = fresh(subject.found)
    one, other = (replace(fitted, state=_init(fitted, seed=0)) for _ in range(2))
    _same_leaves(_leaves(one), _leaves(other), "with the same seed")
    batch = tight_batch(fitted, dataset)
    _same_predictions(fitted.predict(batch), fitted.predict(batch), "predicted again")


def saved(subject: Subject) -> None:
    """A state before and after it was in a checkpoint."""
    fitted, dataset = fresh(subject.found)
    path, leaves = subject.folder / "state.safetensors", _leaves(fitted)
    save(path, Checkpoint(1, leaves, {}))
    other = _init(fitted, seed=1)
    loaded = replace(fitted, state=fitted.model.with_leaves(other, load(path).model_leaves))
    _same_leaves(_leaves(loaded), leaves, "after save and load")
    batch = tight_batch(fitted, dataset)
    _same_predictions(loaded.predict(batch), fitted.predict(batch), "after save and load")


def fits(subject: Subject) -> str:
    """A short fit through the pipeline, and what its checkpoint predicts."""
    config, dataset = given(subject.found)
    run, _ = fit(job_for(subject.found, config, dataset, subject.folder), subject.folder / "run", quiet=True)
    fitted = Fitted.load(run)
    for name, values in fitted.predict(tight_batch(fitted, fitted.complete(dataset))).items():
        demand(bool(np.isfinite(np.asarray(values)).all()), f"after {fitted.epoch} epochs {name} is not finite")
    return f"{run.epochs_done} epochs"


def claim(probe: Probe, subject: Subject) -> str:
    """One of the promises that `invariance` measures."""
    trial = _trial(subject.found)
    if hindrance := probe.hindrance(trial):
        raise Broken(f"it cannot be measured: {hindrance}")
    deviations = probe.worst(trial)
    wrong = [each for each in deviations if not each.holds]
    demand(not wrong, f"{'; '.join(map(str, wrong))} ({trial.precision})")
    return f"{'; '.join(f'{each.field} {each.size:.1g} {each.unit}' for each in deviations)} ({trial.precision})"


@lru_cache(maxsize=1)
def _trial(found: Contribution) -> Trial:
    """The same for all promises."""
    return Trial.of(*fresh(found))


def given(found: Contribution) -> tuple[Any, Dataset]:
    """The options and the data of the example."""
    made = resolve(found.spec.example, whence=found.whence)()
    demand(isinstance(made, tuple) and len(made) == 2, "the example gives no pair of options and Dataset")
    wanted = options_of(found.spec.config)
    demand(
        isinstance(made[0], wanted), f"the example's options are a {type(made[0]).__name__} and no {wanted.__name__}"
    )
    return made[0], as_dataset(made[1], "the second of what the example gives")


@lru_cache(maxsize=1)
def fresh(found: Contribution) -> tuple[Fitted, Dataset]:
    """The model with a state that was just made, and the data of the example.

    Many models begin with zeros, and predict the same for every frame with them. That keeps every promise, so such a
    state is stirred. The same for all checks: what a backend compiles for one of them serves the others.
    """
    config, dataset = given(found)
    _, spec, model = load_model(f"{found.plugin}:{found.spec.name}")
    dataset = model.complete(dataset, config)
    require(dataset, spec.needs, f"predict for the example of the model {spec.name!r}")
    schema = schema_of(dataset)
    backend = resolve(registry().get("backends", spec.backend).spec.load)
    fitted = Fitted(model, spec, model.init(schema, config, 0), schema, 0, backend, config)
    if _says_nothing(fitted, dataset):
        fitted = replace(fitted, state=_stirred(model, fitted.state))
    return fitted, dataset


def _init(fitted: Fitted, seed: int) -> Any:
    return fitted.model.init(fitted.schema, fitted.config, seed)


def _says_nothing(fitted: Fitted, dataset: Dataset) -> bool:
    """Whether some prediction does not change when all atoms move."""
    if "R" not in dataset:
        return False
    moved = dataset["R"] + np.random.default_rng(0).normal(scale=0.1, size=dataset["R"].shape)
    before, after = (fitted.predict(tight_batch(fitted, each)) for each in (dataset, exchanged(dataset, {"R": moved})))
    return any(np.array_equal(np.asarray(before[name]), np.asarray(after[name])) for name in before)


def _stirred(model: Model[Any], state: Any) -> Any:
    random = np.random.default_rng(0)
    leaves = {}
    for name, leaf in model.leaves(state).items():
        values = np.asarray(leaf)
        noise = STIR * (values.std() or 1.0) * random.normal(size=values.shape)
        leaves[name] = (values + noise).astype(values.dtype) if values.dtype.kind == "f" else values
    return model.with_leaves(state, leaves)


def _leaves(fitted: Fitted) -> dict[str, Array]:
    return {name: np.array(leaf) for name, leaf in fitted.model.leaves(fitted.state).items()}


def _same_leaves(found: Mapping[str, Array], expected: Mapping[str, Array], where: str) -> None:
    demand(set(found) == set(expected), f"{where} there are {', '.join(found)} and not {', '.join(expected)}")
    for name in expected:
        same_rows(np.asarray(found[name]), np.asarray(expected[name]), name, where)


def _same_predictions(found: Mapping[str, Array], expected: Mapping[str, Array], where: str) -> None:
    """To rounding: accelerators add up in any order."""
    precision = precision_of(expected)
    for name in expected:
        off = largest(np.asarray(found[name]) - np.asarray(expected[name]))
        demand(off <= tolerance(np.asarray(expected[name]), precision), f"{where} {name} is off by {off:.3g}")


def _applies(probe: Probe) -> Callable[[ModelSpec], bool]:
    return lambda spec: probe.fitting(spec) and probe.claimed_by(spec)


CHECKS = (
    Check("predicts", "models", "It predicts the fields that it says, finite, in the slots of the batch.", predicts),
    Check("repeatable", "models", "The same seed gives the same state, and a state the same predictions.", repeatable),
    *(Check(each.name, "models", each.promise, partial(claim, each), applies=_applies(each)) for each in PROBES),
    Check(
        "saved",
        "models",
        "A state that was saved and loaded is the same to the last bit, and predicts the same.",
        saved,
    ),
    Check("fits", "models", "A short fit to its example ends with a checkpoint that predicts finite numbers.", fits),
)
