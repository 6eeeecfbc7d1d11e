"""What harmonising found, decided and left open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "inferred", "warning"]


@dataclass(frozen=True)
class Finding:
    """One decision about one field.

    Args:
        field: what it is called now.
        source: what it was called in the source.
        rule: by which rule it was decided: name, shape, unit attribute, your choice, ...
        note: what was done, or what is missing.
        level: ``"ok"``, ``"inferred"`` for a guess from physics, ``"warning"`` for what stays open.
    """

    field: str
    source: str
    rule: str
    note: str = ""
    level: Level = "ok"


@dataclass(frozen=True)
class HarmonizeReport:
    """All findings of one harmonising, in the order in which they were made."""

    findings: tuple[Finding, ...] = ()

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that leave something open."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    def about(self, field: str) -> tuple[Finding, ...]:
        """The findings about one field."""
        return tuple(finding for finding in self.findings if finding.field == field)


def counted(number: int, what: str) -> str:
    """A number of things in words.

    >>> counted(1, "frame"), counted(12, "frame")
    ('1 frame', '12 frames')
    """
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
