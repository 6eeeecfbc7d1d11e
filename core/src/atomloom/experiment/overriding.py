"""``atomloom run EXP.toml --set training.num_epochs=5``: an experiment with some keys replaced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin

import msgspec

from atomloom.errors import ConfigError
from atomloom.experiment.check import is_struct, members
from atomloom.experiment.keys import Key, parse, spell
from atomloom.experiment.loading import checked
from atomloom.experiment.problems import AfterSet, InFile
from atomloom.experiment.structs import Experiment
from atomloom.experiment.typed import typed
from atomloom.experiment.writing import plain_tables

_TODO = "Write --set KEY=VALUE, such as --set training.num_epochs=5"


def override(experiment: Experiment, assignments: Iterable[str], file: InFile | None = None) -> Experiment:
    """Replace keys of an experiment, each by a text ``KEY=VALUE``.

    Values are read as the type of their key; ``none`` removes a key that may be without a value. Keys of ``[model]``
    and ``[training]`` are checked by `build`, once their plugin is known, at the place that `overridden` gives.

    Args:
        experiment: left as it is.
        assignments: such as ``"data.source[0].path=trimers.npz"``.
        file: where `experiment` came from, for messages.

    >>> from atomloom.experiment import loads
    >>> text = 'data.source = [{path = "dimers.npz", reader = "npz"}]' + chr(10) + 'model.name = "ridge"'
    >>> override(loads(text), ["batching.batch_size=8", "model.alpha=1e-3"]).model
    {'name': 'ridge', 'alpha': 0.001}
    """
    tables: dict[str, Any] = plain_tables(experiment)
    pairs = [_pair(assignment) for assignment in assignments]
    for key, text in pairs:
        _put(tables, key, typed(text, kind_at(Experiment, key)))
    place = file or InFile("<experiment>", text="\n")
    return checked(tables, AfterSet(place, tuple(key for key, _ in pairs)))


def overridden(file: InFile, assignments: Iterable[str]) -> AfterSet:
    """The place of values in `file` after `override`, for `build`: messages name the ``--set`` or the line."""
    return AfterSet(file, tuple(_pair(assignment)[0] for assignment in assignments))


def kind_at(kind: Any, key: Key) -> Any:
    """The annotation of a key below the annotation `kind`; Any where nothing is known about it."""
    for part in key:
        kind = next((inner for member in members(kind) if (inner := _below(member, part)) is not Any), Any)
    return kind


def _below(kind: Any, part: str | int) -> Any:
    if is_struct(kind):
        types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        return types.get(str(part), Any)
    container = list if isinstance(part, int) else dict
    return get_args(kind)[-1] if get_origin(kind) is container else Any


def _pair(assignment: str) -> tuple[Key, str]:
    name, equals, value = assignment.partition("=")
    if not equals:
        raise ConfigError(f"set '{assignment}'", "it has no equals sign", _TODO)
    try:
        return parse(name.strip()), value.strip()
    except ValueError:
        raise ConfigError(f"set '{assignment}'", f"'{name}' is no key", _TODO) from None


def _put(tables: dict[str, Any], key: Key, value: Any) -> None:
    """Put a value into nested tables, making those that are not there; None takes the key away."""
    container: Any = tables
    for depth, part in enumerate(key):
        _enterable(container, key[:depth], part)
        last = depth == len(key) - 1
        if last and value is None:
            container.pop(part, None)
        elif last:
            container[part] = value
        else:
            container = container.setdefault(part, {}) if isinstance(part, str) else container[part]


def _enterable(container: Any, above: Key, part: str | int) -> None:
    """Make sure that `part` can be looked up in what `above` names."""
    asked = f"set `{spell((*above, part))}`"
    if isinstance(part, int) and not isinstance(container, list):
        raise ConfigError(asked, f"`{spell(above)}` is no array", f"Name a key below it, or `{spell(above)}` itself")
    if isinstance(part, int) and part >= len(container):
        found = f"`{spell(above)}` has {len(container)} item{'s' if len(container) != 1 else ''}"
        raise ConfigError(asked, found, "They are counted from 0")
    if isinstance(part, str) and isinstance(container, list):
        raise ConfigError(asked, f"`{spell(above)}` is an array", f"Its first item has `{spell((*above, 0, part))}`")
    if isinstance(part, str) and not isinstance(container, dict):
        raise ConfigError(asked, f"`{spell(above)}` is a single value", f"Set `{spell(above)}` itself")
