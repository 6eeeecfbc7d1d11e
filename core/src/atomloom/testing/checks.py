"""All checks, and which of them are for a plugin or a contribution."""

from __future__ import annotations

from typing import Any

from atomloom.testing import harmonizers, losses, models, others, plugins, readers, writers
from atomloom.testing.check import PLUGIN, Check
from atomloom.testing.subject import EXAMPLES

CHECKS: tuple[Check, ...] = tuple(
    check for module in (plugins, readers, harmonizers, writers, models, losses, others) for check in module.CHECKS
)
"""In the order in which they run."""


def checks_of(kind: str, spec: Any) -> list[Check]:
    """The checks that apply to a contribution, or to a plugin by its record; those of what it declares first.

    How something behaves cannot be seen without an example; that this is missing is a failure already.
    """
    seen = kind not in EXAMPLES or bool(spec.example)
    applying = [check for check in CHECKS if check.kind == kind and check.applies(spec)]
    declared = [check for check in applying if check.group == "declares"]
    return declared + [check for check in applying if check.group == "behaves" and seen]


__all__ = ["CHECKS", "PLUGIN", "checks_of"]
