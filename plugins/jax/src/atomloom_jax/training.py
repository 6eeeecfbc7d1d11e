"""The loop: epochs of updates, each followed by a look at the validation part, a checkpoint, and a decision to go on.

Updates are sent to the devices as fast as data comes, and what they measured is fetched when it is ready. Everything
that a training needs to go on is in its checkpoint, so that one that was killed continues to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding

from atomloom.batching import Near
from atomloom.errors import RunFailed
from atomloom.model import FitData, Model, State, WeightedLoss
from atomloom.runs import Run
from atomloom.runs.epoch import Epoch
from atomloom_jax.blame import Culprit, culprits, failure
from atomloom_jax.devices import mesh, replicated
from atomloom_jax.feeding import Feed, Prepared
from atomloom_jax.gathering import Broken, Gatherer, fetched
from atomloom_jax.identity import identity
from atomloom_jax.lovely import told
from atomloom_jax.memory import exhaustion_told, memory_limit
from atomloom_jax.metrics import TrainingMetrics, for_part, nothing, together
from atomloom_jax.objective import Objective
from atomloom_jax.options import Training
from atomloom_jax.pace import Pace
from atomloom_jax.precision import precise
from atomloom_jax.processes import Stopping, from_all, loss_told
from atomloom_jax.programs import Programs
from atomloom_jax.saving import extra_of, leaves_of, restored
from atomloom_jax.schedules import schedule
from atomloom_jax.sharing import share
from atomloom_jax.starting import start
from atomloom_jax.steering import Steering
from atomloom_jax.step import SHARED, extras, measure_function, update_function
from atomloom_jax.table import epoch_table
from atomloom_jax.train_state import TrainState, count


def train_model_multibatch(
    model: Model[State],
    state: State,
    data: FitData,
    losses: tuple[WeightedLoss, ...],
    run: Run,
    training: Training,
) -> State:
    """Bring the state of a model to the data, in a run that can be watched and resumed; the best state.

    Args:
        model: written in JAX; see `atomloom_jax.JaxModel`.
        state: where to start, unless the run has a checkpoint.
        data: the parts to train on and to validate on.
        losses: what is lowered.
        run: where it is recorded.
        training: the options.
    """
    with precise(training.precision, training.matmul_precision), run.session(), loss_told(run):
        return _Loop.of(model, state, data, losses, run, training).run_through()


class _Pass(NamedTuple):
    """What one pass over a part of the data measured, and how fast it was."""

    metrics: TrainingMetrics
    pace: Pace


@dataclass
class _Loop(Generic[State]):
    """A training with everything that it needs.

    Attributes:
        constants: arrays of the model that are not trained, on the devices.
        kept: the same as they were given; references in float64 stay so in checkpoints.
        known: what is carried from update to update.
        steering: what validation showed so far.
        pace: of all passes over the part to train on.
        stopping: whether the processes that train together are to stop.
    """

    objective: Objective[State]
    data: FitData
    run: Run
    training: Training
    feeds: dict[str, Feed]
    update: Programs
    measure: Programs
    like: TrainingMetrics
    constants: dict[str, Any]
    kept: dict[str, np.ndarray]
    known: TrainState
    steering: Steering
    pace: Pace
    stopping: Stopping

    @classmethod
    def of(
        cls,
        model: Model[State],
        state: State,
        data: FitData,
        losses: tuple[WeightedLoss, ...],
        run: Run,
        training: Training,
    ) -> _Loop[State]:
        """Everything in its place: data planned, parameters on the devices, checkpoint restored, nothing compiled."""
        where = mesh(training.device, training.num_devices)
        leaves, state = start(model, state, data, run, training)
        leaves = leaves.trained_in(training.precision)
        objective = Objective.of(model, state, losses, data.train)
        feeds = _feeds(model, state, data, losses, training)
        factor = schedule(training, feeds["train"].updates)
        known, steering = TrainState.fresh(leaves.parameters, training), Steering()
        if (checkpoint := run.latest()) is not None:
            known, steering = restored(known, checkpoint, identity(model, run.config), run.name)
        run.logger.info("%d parameters are trained on %s", count(leaves.parameters), ", ".join(map(str, where.devices)))
        if training.lovely:
            _tell_arrays(run, "before this session", known.parameters)
        everywhere = NamedSharding(where, SHARED)
        known = jax.device_put(known, everywhere)
        constants = {name: replicated(leaf, everywhere) for name, leaf in leaves.constants.items()}
        return cls(
            objective=objective,
            data=data,
            run=run,
            training=training,
            feeds=feeds,
            update=Programs(
                update_function(objective, training, factor, where),
                "an update",
                run.logger,
                donated=(0,),
                limit=memory_limit(where.local_devices),
            ),
            measure=Programs(measure_function(objective, where), "a validation", run.logger),
            like=_names(objective, {**leaves.parameters, **leaves.constants}, feeds["train"]),
            constants=constants,
            kept=leaves.constants,
            known=known,
            steering=steering,
            pace=Pace(),
            stopping=Stopping(),
        )

    def run_through(self) -> State:
        """All epochs that are left; the state of the best of them."""
        options, total = self.training, self.training.num_epochs
        if reason := self.steering.reason_to_stop(options):  # it was killed after its last epoch was saved
            self.run.logger.info("stopped: %s", reason)
            total = self.run.epochs_done
        with ExitStack() as stack, exhaustion_told(self.update.demands, memory_limit(jax.local_devices())):
            numbers = {"train": range(self.run.epochs_done, total), "valid": repeat(0)}
            data = {
                part: stack.enter_context(feed.epochs(numbers[part], options.prefetch))
                for part, feed in self.feeds.items()
            }
            for epoch in self.run.epochs(total, options.save_every_n_epochs, options.keep_last):
                trained = self._train(epoch, data["train"])
                watched = self._validate(epoch, data.get("valid", iter(())))
                self.pace = self.pace.plus(trained.pace)
                self._record(epoch, trained, watched)
        self._note_pace()
        best = self.run.best() or self.run.latest()
        assert best is not None, "every epoch saves its state"
        return self.objective.model.with_leaves(self.objective.template, best.model_leaves)

    def _train(self, epoch: Epoch, prepared: Iterator[Prepared | None]) -> _Pass:
        """One pass over the part to train on, with its updates."""
        gatherer = Gatherer(together([self.like, extras()]), int(self.known.updates))
        began, stalled, compiling = perf_counter(), 0.0, self.update.seconds
        for waited, each in _timed(prepared, gatherer):
            stalled += waited
            self.known, vector = self.update(each.shape, self.known, self.constants, each.arrays)
            gatherer.add(vector, each)
            self._tell(epoch, gatherer)
            if gatherer.broken:
                break
            self.stopping.after_step()
        gatherer.finish()
        self._tell(epoch, gatherer, least=1)
        if gatherer.broken:
            where = f"update {gatherer.broken.place} of epoch {epoch.number}"
            raise self._failure("train", where, self.known.parameters, gatherer.broken)
        seconds = perf_counter() - began - (self.update.seconds - compiling)
        return _Pass(gatherer.total, Pace(gatherer.structures, seconds, stalled))

    def _tell(self, epoch: Epoch, gatherer: Gatherer, **least: int) -> None:
        """Move the bar, and pass on what was fetched."""
        epoch.advance(gatherer.structures, len(self.data.train))
        if block := gatherer.block(**least):
            self.run.steps(block)

    def _validate(self, epoch: Epoch, prepared: Iterator[Prepared | None]) -> _Pass:
        """One pass over the part to validate on, with the average of the parameters where there is one."""
        began, compiling = perf_counter(), self.measure.seconds
        total, structures = nothing(self.like), 0
        if "valid" in self.feeds:
            parameters = self.known.result
            leaves = {**parameters, **self.constants}
            ours = iter(lambda: next(prepared, None), None)
            sent = ((self.measure(each.shape, leaves, each.arrays), each) for each in ours)
            for place, (vector, each) in enumerate(fetched(sent), start=1):
                metrics = self.like.unpacked(vector)
                if not np.isfinite(metrics.loss(self.objective.losses)):
                    where = f"batch {place} of the validation after epoch {epoch.number}"
                    raise self._failure("valid", where, parameters, Broken(place, each))
                total, structures = total.plus(metrics), structures + round(metrics.sums["frames"])
                self.stopping.after_step()
        seconds = perf_counter() - began - (self.measure.seconds - compiling)
        return _Pass(total, Pace(structures, seconds))

    def _record(self, epoch: Epoch, trained: _Pass, watched: _Pass) -> None:
        """Metrics, table and checkpoint of an epoch, and what follows from its score."""
        losses = self.objective.losses
        train = trained.metrics.summary(losses)
        valid = watched.metrics.summary(losses) if "valid" in self.feeds else {}
        epoch.log({**for_part("train", {**train, **trained.metrics.means()}), **for_part("valid", valid)})
        score = (valid or train)["loss"]
        self.steering = self.steering.after(score, self.training)
        self.known = self.known._replace(scale=jnp.full_like(self.known.scale, self.steering.scale))
        if self.training.table_every_n_epochs and not epoch.number % self.training.table_every_n_epochs:
            said = self._paced(trained.pace, watched.pace)
            epoch.tell(epoch_table(epoch.number, self.training.num_epochs, train, valid, said))
        leaves = leaves_of(self.known, self.kept)
        model = identity(self.objective.model, self.run.config)
        epoch.save(leaves, extra_of(self.steering, epoch.number, self.training, model), score)
        if reason := self.steering.reason_to_stop(self.training):
            self.run.stop(reason)

    def _paced(self, trained: Pace, watched: Pace) -> str:
        """How fast an epoch was, in words."""
        seconds, programs = trained.seconds + watched.seconds, self._programs
        speed = f"{trained.rate:,.0f} structures/s, {trained.waiting:.1%} waiting for data"
        return f"{seconds:.2f} s, {speed}, {programs} programs compiled"

    def _note_pace(self) -> None:
        """Leave word in the run of how fast this session was; one that had nothing to do was not."""
        if self.pace.structures:
            self.run.note(**self.pace.facts(self._programs), **self._facts())

    def _facts(self) -> dict[str, Any]:
        """What it ran on, how much was trained, and which share of the atoms of its batches was none."""
        where = mesh(self.training.device, self.training.num_devices)
        return {
            "devices": [f"{device} ({device.device_kind})" for device in where.devices.flat],
            "parameters": count(self.known.parameters),
            "padding": round(self.feeds["train"].plan.waste().atoms, 4),
        }

    @property
    def _programs(self) -> int:
        return self.update.compilations + self.measure.compilations

    def _failure(self, part: str, where: str, parameters: dict[str, Any], broken: Broken) -> RunFailed:
        """The error that says which frames and which loss made the numbers not finite."""
        host = jax.device_get((parameters, self.constants))
        trained, constants = jax.tree.map(jnp.asarray, host)  # on one device, whatever the mesh was
        if self.training.lovely:
            _tell_arrays(self.run, f"in {where}", trained)
        mine = culprits(self.objective, trained, constants, self.feeds[part], broken)
        found = [Culprit(*each) for share in from_all(mine) for each in share]
        structures, done = sum(from_all(broken.prepared.structures)), self.run.epochs_done
        return failure(self.run.name, where, found, structures, self.data.numbers.get(part), done)


def _tell_arrays(run: Run, when: str, parameters: Mapping[str, Any]) -> None:
    for line in told(parameters):
        run.logger.info("%s: %s", when, line)


def _feeds(
    model: Model[State], state: State, data: FitData, losses: tuple[WeightedLoss, ...], training: Training
) -> dict[str, Feed]:
    """The batches of the parts; without a part to validate on there is no feed of it."""
    where = mesh(training.device, training.num_devices)
    sharing = share(data, training.gradient_accumulation_steps, where.size)
    names = tuple(dict.fromkeys((*data.needs, *(name for loss in losses for name in loss.needs))))
    parts = {name: part for name, part in (("train", data.train), ("valid", data.valid)) if len(part)}
    pairs = {name: Near(part, model.reach(state)) for name, part in parts.items()}
    return {
        name: Feed(near, sharing.plan(data, near), names, model, state, where, training.precision)
        for name, near in pairs.items()
    }


def _names(objective: Objective[Any], leaves: dict[str, Any], feed: Feed) -> TrainingMetrics:
    """Metrics of the names that are measured, found without computing any."""
    first = next(iter(feed.plan.batches(0)))
    shapes: TrainingMetrics = jax.eval_shape(objective.measured, leaves, feed.batch(first))
    return nothing(shapes)


def _timed(prepared: Iterator[Prepared | None], gatherer: Gatherer) -> Iterator[tuple[float, Prepared]]:
    """The same up to the end of an epoch, each with the seconds that the devices had to wait for it."""
    while True:
        idle, began = gatherer.idle, perf_counter()
        each = next(prepared, None)
        if each is None:
            return
        yield (perf_counter() - began if idle else 0.0), each
