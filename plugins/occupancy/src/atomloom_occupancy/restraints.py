"""What ``--restrain`` says: one weight towards the occupancies of the file, and expected values of single states."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from atomloom.errors import ConfigError
from atomloom_occupancy.group_building import nearest
from atomloom_occupancy.states import Expected, Network

_OF_A_STATE = re.compile(r"(?P<name>.+)=(?P<value>[^=:]+):(?P<weight>[^=:]+)")


class Wish(NamedTuple):
    """An occupancy that is expected of the state with this name."""

    name: str
    value: float
    weight: float


def parse_restraints(texts: Iterable[str]) -> tuple[float, tuple[Wish, ...]]:
    """The weight towards the file, and wishes.

    >>> parse_restraints(["20", "bound=0.7:500"])
    (20.0, (Wish(name='bound', value=0.7, weight=500.0),))
    """
    weight, wishes = 0.0, []
    for text in texts:
        found = _OF_A_STATE.fullmatch(text)
        try:
            if found is None:
                weight = _number(text, 0.0)
            else:
                wishes.append(Wish(found["name"], _number(found["value"], 0.0, 1.0), _number(found["weight"], 0.0)))
        except ValueError as error:
            raise ConfigError(f"use --restrain {text!r}", str(error), "Write 20 or 'bound=0.7:500'") from error
    return weight, tuple(wishes)


def restrained(network: Network, wishes: Iterable[Wish]) -> Network:
    """The network with these wishes."""
    names = [state.name for state in network.states]
    found = []
    for wish in wishes:
        if wish.name not in names:
            asked = f"restrain the state {wish.name!r}"
            raise ConfigError(asked, "there is no such state", nearest(wish.name, names))
        found.append(Expected(names.index(wish.name), wish.value, wish.weight))
    return replace(network, expected=(*network.expected, *found))


def _number(text: str, low: float, high: float = float("inf")) -> float:
    value = float(text)
    if not low <= value <= high or value == float("inf"):
        raise ValueError(f"{text} is not between {low:g} and {high:g}")
    return value
