"""What a search may try: options by key, with values or a range, all known and within bounds before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from atomloom.errors import ConfigError
from atomloom.experiment import Batching, Experiment, Place, Problem
from atomloom.experiment.check import check, members
from atomloom.experiment.keys import parse, spell
from atomloom.experiment.problems import refuse
from atomloom.experiment.searching import Range, Search, range_of
from atomloom.experiment.structs import Weight
from atomloom.experiment.wording import nearest, shown
from atomloom.pipeline.job import load_model, options_of
from atomloom.registry import registry
from atomloom.specs import BackendSpec

if TYPE_CHECKING:
    from optuna.trial import Trial

ASKED = "search the options"

Value = Any


class Dimension(NamedTuple):
    """One option that is tried.

    Args:
        table, name: its key.
        fractional: whether it takes numbers that are not whole.
        choices: its values; empty for a range.
        range: of its numbers; None for choices.
    """

    table: str
    name: str
    fractional: bool
    choices: tuple[Value, ...] = ()
    range: Range | None = None

    @property
    def key(self) -> str:
        """The key as people write it."""
        return spell((self.table, self.name))

    def drawn(self, trial: Trial) -> Value:
        """A value for `trial`; the one that it has if it has one already."""
        if self.range is None:
            labels = {shown_in_full(choice): choice for choice in self.choices}
            return labels[trial.suggest_categorical(self.key, list(labels))]
        low, high, step = self.range.low, self.range.high, self.range.step
        if self.fractional:
            return trial.suggest_float(self.key, low, high, log=self.range.log, step=step)
        return trial.suggest_int(self.key, int(low), int(high), log=self.range.log, step=int(step or 1))


def shown_in_full(value: Value) -> str:
    """A value as a text that no other value has."""
    return msgspec.json.encode(value).decode()


def dimensions(experiment: Experiment, where: Place) -> tuple[Dimension, ...]:
    """The space of an experiment's search.

    Raises:
        ConfigError: naming every key that is unknown and every value that its option does not take.
    """
    assert experiment.search is not None
    kinds = _kinds(experiment)
    space = experiment.search.space
    found = [problem for key, entry in space.items() for problem in _problems(key, entry, kinds)]
    refuse(ASKED, [*found, *_moving(experiment.search)], where)
    return tuple(_dimension(key, entry, kinds) for key, entry in space.items())


def applied(experiment: Experiment, values: Mapping[tuple[str, str], Value]) -> Experiment:
    """The experiment of a trial, with these values under their table and name."""
    tables: dict[str, dict[str, Value]] = {}
    for (table, name), value in values.items():
        tables.setdefault(table, {})[name] = value
    losses = experiment.losses
    if "losses" in tables:
        losses = {**(losses or load_model(experiment.model_name)[1].losses), **tables["losses"]}
    return replace(
        experiment,
        model={**experiment.model, **tables.get("model", {})},
        training={**experiment.training, **tables.get("training", {})},
        losses=losses,
        batching=_batching(experiment.batching, tables.get("batching", {})),
        search=None,
    )


def _batching(batching: Batching, sizes: Mapping[str, Value]) -> Batching:
    one, other = "batch_size", "atoms"
    swapped = {other: None} if one in sizes else {one: None} if other in sizes else {}
    changed = replace(batching, **{**swapped, **sizes})
    for problem in changed.problems():
        raise ConfigError(
            "make the batches of a trial", f"`batching.{spell(problem.key)}` {problem.found}", problem.todo
        )
    return changed


def _kinds(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """The annotation of every option that can be searched, by table and name."""
    _, spec, _ = load_model(experiment.model_name)
    backend = registry().get("backends", spec.backend).spec
    assert isinstance(backend, BackendSpec)
    structs: dict[str, type[msgspec.Struct]] = {
        "model": options_of(spec.config),
        "training": options_of(backend.training),
        "batching": Batching,
    }
    kinds: dict[str, dict[str, Any]] = {
        table: {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
        for table, struct in structs.items()
    }
    return {**kinds, "losses": {found.spec.name: Weight for found in registry().all("losses")}}


def _problems(key: str, entry: Any, kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    place = ("search", "space", key)
    table, name = _parts(key)
    if name not in kinds.get(table, {}):
        near = nearest(key, [spell((one, each)) for one, names in kinds.items() for each in names])
        tables = ", ".join(f"[{one}]" for one in kinds)
        yield Problem(
            place,
            "is not a known key",
            f"The nearest known key is `{near}`" if near else f"It has to be a key of {tables}",
        )
        return
    kind, bounds = kinds[table][name], range_of(entry)
    for value in entry if bounds is None else (bounds.low, bounds.high):
        for problem in check(kind, value):
            yield Problem(place, f"holds {shown(value)}", problem.todo)
            return
    if bounds is not None and not _numeric(kind):
        yield Problem(place, "is a range", "This option takes no numbers; write an array of values")


def _moving(search: Search) -> Iterator[Problem]:
    """A weight that is searched by the weighted sum itself: the lowest weight would always win."""
    weighed = [key for key in search.space if _parts(key)[0] == "losses"]
    if weighed and search.metric.partition("/")[2] == "loss":
        todo = "Judge by what no weight changes, such as the mae of a field"
        yield Problem(("search", "metric"), f'is "{search.metric}", which `{weighed[0]}` changes by itself', todo)


def _dimension(key: str, entry: Any, kinds: Mapping[str, Mapping[str, Any]]) -> Dimension:
    table, name = _parts(key)
    bounds = range_of(entry)
    return Dimension(table, name, float in _bare(kinds[table][name]), () if bounds else tuple(entry), bounds)


def _parts(key: str) -> tuple[str, str]:
    try:
        table, name = parse(key)
    except ValueError:
        return "", key
    return str(table), str(name)


def _numeric(kind: Any) -> bool:
    return bool({int, float} & _bare(kind))


def _bare(kind: Any) -> set[Any]:
    return {member for member in members(kind) if isinstance(member, type)}
