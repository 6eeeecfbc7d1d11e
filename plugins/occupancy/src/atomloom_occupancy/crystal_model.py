"""The model ``occupancy`` of experiments: a crystal whose occupancies are refined, with all else held."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import gemmi
import msgspec
import numpy as np
from msgspec import Meta

from atomloom.batching import PaddedBatch
from atomloom.data import Dataset
from atomloom.data.columns import Array
from atomloom.data.schema import declared
from atomloom.errors import ConfigError, DataError
from atomloom.model import FitData, Model, Schema, WeightedLoss
from atomloom.runs import Run
from atomloom_occupancy.crystal_fields import DATA, MODEL, reflections_of, structure_of
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.refining import TARGETS, Fit, How, Refined, fit, prepare, refine
from atomloom_occupancy.reflections import Reflections
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import check_crystal
from atomloom_occupancy.twinning import check_twinning

State = dict[str, Array]

NEEDS = tuple(dict.fromkeys((*MODEL, *DATA)))
"""Fields that the model reads."""

_ASKED = "refine the occupancies of a crystal"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the model."""

    groups: Annotated[str, Meta(description="File of states and sets, by its whole path; else they are found.")] = ""
    restrain: Annotated[float, Meta(ge=0, description="Weight of (q - q of the file)^2 in the target.")] = 0.0
    occupancy_aware_mask: Annotated[bool, Meta(description="Let solvent in where atoms are partly there.")] = False
    twinned: Annotated[bool, Meta(description="Go on though the data look twinned.")] = False


class OccupancyModel(Model[State]):
    """Amplitudes of a crystal with these occupancies, brought onto the observed ones by scale and bulk solvent."""

    def init(self, schema: Schema, config: Config, seed: int) -> State:
        """No occupancies yet: until it is fitted, the model has those of the data."""
        if config.groups and not Path(config.groups).is_file():
            raise ConfigError(_ASKED, f"there is no file '{config.groups}' of groups", "Give its whole path")
        options = np.array([config.restrain, config.occupancy_aware_mask, config.twinned], dtype=np.float64)
        groups = np.frombuffer(config.groups.encode(), dtype=np.uint8).copy()
        return {"occupancy": np.zeros(0), "options": options, "groups": groups}

    def reach(self, state: State) -> float:
        """It reads no pairs of atoms."""
        return 0.0

    def predict(self, state: State, batch: PaddedBatch) -> Mapping[str, Array]:
        """Expected amplitudes with the parameters of their errors, and occupancies."""
        fields = {name: batch[name][batch[f"{axis}_mask"]] for name, axis in _axes(batch).items()}
        if len(state["occupancy"]):
            if len(state["occupancy"]) != len(fields["occupancy"]):
                found = f"it was fitted to {len(state['occupancy'])} atoms and this one has {len(fields['occupancy'])}"
                raise DataError("predict the amplitudes of a crystal", found, "Give the crystal that it was fitted to")
            fields["occupancy"] = state["occupancy"]
        structure, data = structure_of(fields), reflections_of(fields)
        how = _how(state, "ml")
        none = Network((), ())
        found_fit = fit(prepare(structure, data, none, how), np.zeros(0), how)
        return {**_predicted(found_fit), "occupancy": np.asarray(fields["occupancy"], dtype=np.float64)}

    def fit(self, state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run) -> State:
        """The whole refinement is one epoch."""
        done = refined(data.train, state, losses)
        training = run.config["training"]
        for epoch in run.epochs(1, training["save_every_n_epochs"], training["keep_last"]):
            crystal = done.crystal.data
            epoch.log({"train/loss": done.after.negative_log_likelihood})
            epoch.log({"train/r": done.after.r_factor(crystal, crystal.work)})
            epoch.log({"free/r": done.after.r_factor(crystal, crystal.free)})
            occupancy = np.asarray(data.train["occupancy"], dtype=np.float64)
            state = {**state, "occupancy": done.network.spread(occupancy, done.after.occupancy)}
            epoch.save(state, {}, done.after.negative_log_likelihood)
        return state


def refined(dataset: Dataset, state: State, losses: tuple[WeightedLoss, ...] | tuple[str, ...]) -> Refined:
    """The refinement of the crystal in a data set, against the one loss that is its target."""
    names = [loss if isinstance(loss, str) else loss.name for loss in losses]
    if len(names) != 1 or names[0] not in TARGETS:
        raise ConfigError(_ASKED, f"the losses are {', '.join(names)}", "Give one of ml and ls under [losses]")
    structure, data = crystal_of(dataset)
    check_crystal(structure, _ASKED)
    data = check_twinning(data, _ASKED, accepted=bool(state["options"][2]))
    groups = state["groups"].tobytes().decode()
    network = read_groups(groups, structure) if groups else find_network(structure)
    if not network.states:
        found = "the model has neither altlocs nor partial occupancies"
        raise DataError(_ASKED, found, "There is nothing to refine; name states in a file of groups")
    how = _how(state, names[0])
    return refine(prepare(structure, data, network, how), network, how)


def crystal_of(dataset: Dataset) -> tuple[gemmi.Structure, Reflections]:
    """The model and the amplitudes of a data set of one crystal."""
    if len(dataset) != 1:
        raise DataError(_ASKED, f"the data hold {len(dataset)} crystals", "Refine each in an experiment of its own")
    fields = dataset.take([0])
    return structure_of(fields), reflections_of(fields, tuple(dataset.meta.get("notes", ())))


def _axes(batch: PaddedBatch) -> dict[str, str]:
    """The ragged axis of each field that is read, ``frame`` for none."""
    fields = {name: declared(name).ragged or "frame" for name in (*NEEDS, "sigma_F")}
    return {name: axis for name, axis in fields.items() if name in batch}


def _how(state: State, target: str) -> How:
    restrain, aware, _ = state["options"]
    return How(target, float(restrain), bool(aware))


def _predicted(found: Fit) -> dict[str, Array]:
    assert found.errors is not None, "the target ml estimates errors"
    errors = {"model_alpha": found.errors.alpha, "model_beta": found.errors.beta}
    return {"F_obs": np.abs(found.model), **errors}
