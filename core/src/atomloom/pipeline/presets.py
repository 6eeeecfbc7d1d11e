"""Presets: the options that a model's author recommends for systems of some size, under what the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from atomloom.errors import PluginError
from atomloom.experiment import Batching, Experiment, Place, Problem, resolved_batching
from atomloom.experiment.problems import refuse
from atomloom.experiment.wording import nearest, shown
from atomloom.specs import ModelSpec, Preset

AUTO = "auto"
"""The preset that is chosen by the longest frame of the data."""

SIZES = ("batch_size", "atoms", "num_atoms", "buckets")
"""The keys of ``[batching]`` that a preset may set."""


class Applied(NamedTuple):
    """A preset in use.

    Args:
        name: of the preset.
        reason: why it is this one.
        preset: itself.
        sets: what it sets, by dotted key: all of it that the user does not.
    """

    name: str
    reason: str
    preset: Preset
    sets: Mapping[str, Any]

    @property
    def told(self) -> str:
        """What it sets, in words."""
        return ", ".join(f"{key} = {shown(value)}" for key, value in self.sets.items()) or "nothing that was not given"


def check(experiment: Experiment, spec: ModelSpec, where: Place) -> None:
    """Refuse a preset that the model does not have.

    Raises:
        ConfigError: naming those that it has.
    """
    name = experiment.preset
    if name is None or (spec.presets and name in (AUTO, *spec.presets)):
        return
    todo = f"The model {spec.name!r} has no presets; leave it out"
    if spec.presets:
        near = nearest(name, (AUTO, *spec.presets))
        hint = f"; the nearest is {shown(near)}" if near else ""
        todo = f"The model {spec.name!r} has {', '.join(map(shown, (*spec.presets, AUTO)))}{hint}"
    refuse("use the preset", [Problem(("preset",), f"is {shown(name)}", todo)], where)


def chosen(experiment: Experiment, spec: ModelSpec, longest: int | None = None) -> Applied | None:
    """The preset that an experiment asks for, if any.

    Args:
        longest: atoms of the longest frame; without it there is no answer to ``"auto"``.
    """
    name, reason = experiment.preset, "as the experiment asks"
    if name == AUTO:
        if longest is None:
            return None
        name = next((each for each, preset in spec.presets.items() if longest < (preset.below or longest + 1)), None)
        name = name or list(spec.presets)[-1]
        reason = f"the longest frame has {longest} atoms"
    if name is None:
        return None
    preset = spec.presets[name]
    return Applied(name, reason, preset, dict(_set(experiment, spec, preset)))


def batching(experiment: Experiment, applied: Applied | None) -> Batching:
    """The batches of an experiment, with the preset's sizes where it gives none that exclude them."""
    if applied is None:
        return resolved_batching(experiment.batching)
    prefix = "batching."
    sizes = {key.removeprefix(prefix): value for key, value in applied.sets.items() if key.startswith(prefix)}
    return resolved_batching(replace(experiment.batching, **sizes))


def _set(experiment: Experiment, spec: ModelSpec, preset: Preset) -> list[tuple[str, Any]]:
    found = [(f"model.{key}", value) for key, value in preset.model.items() if key not in experiment.model]
    found += [(f"training.{key}", value) for key, value in preset.training.items() if key not in experiment.training]
    batches = experiment.batching
    for key, value in preset.batching.items():
        if key not in SIZES:
            asked = f"use a preset of the model {spec.name!r}"
            raise PluginError(asked, f"it sets batching.{key}", f"The plugin may set {', '.join(SIZES)}")
        changed = replace(batches, **{key: value})
        if getattr(batches, key) is None and not any(changed.problems()):
            batches = changed
            found.append((f"batching.{key}", value))
    return found
