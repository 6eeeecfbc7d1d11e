"""What a check is, and how it says that something is wrong.

A check is an object: a name that waivers use, the promise that it holds a contribution to, and a function. The function
returns a remark, or nothing, where the promise is kept; it raises `Broken` where it is not. Any other exception is a
broken promise as well, and the traceback is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from atomloom.specs import Spec
from atomloom.testing.subject import Subject

Group = Literal["declares", "behaves"]

PLUGIN = "plugin"
"""The kind of checks that are about a plugin as a whole."""


class Broken(Exception):
    """A promise is not kept; the message says what was found, as a clause."""


@dataclass(frozen=True)
class Check:
    """One promise that contributions of a kind make.

    Args:
        name: one word, the same in a waiver, a table and a test.
        kind: of the contributions, or `PLUGIN`.
        promise: what holds, as a sentence.
        run: raises where it does not; may return a remark, such as a number that was measured.
        group: ``"declares"`` for what a spec says, ``"behaves"`` for what its code does.
        applies: whether the promise means anything for a contribution of this spec.
    """

    name: str
    kind: str
    promise: str
    run: Callable[[Subject], str | None]
    group: Group = "behaves"
    applies: Callable[[Any], bool] = lambda spec: True


@dataclass(frozen=True)
class Result:
    """What became of a check.

    Args:
        outcome: ``"passed"``, ``"failed"`` or ``"waived"``.
        said: the remark, the reason of the failure, or that of the waiver.
        seconds: how long it took.
        traceback: of an exception that the plugin's code raised.
    """

    outcome: Literal["passed", "failed", "waived"]
    said: str = ""
    seconds: float = 0.0
    traceback: str = ""


def demand(holds: bool, found: str) -> None:
    """Raise `Broken` unless something holds.

    >>> demand(1 + 1 == 2, "arithmetic is broken")
    """
    if not holds:
        raise Broken(found)


def waiver(check: Check, spec: Spec | None) -> str:
    """The reason why a contribution is not held to a promise, or an empty string."""
    return str(spec.waivers.get(check.name, "")).strip() if spec is not None else ""
