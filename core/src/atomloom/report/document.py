"""A report: titled sections of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

from atomloom.report.blocks import Table
from atomloom.report.figure import Figure
from atomloom.report.piece import Block, Piece


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Section(Piece, frozen=True):
    """Blocks under a title; an empty title continues the section before without a heading."""

    title: str
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        """Accept any iterable."""
        self._settle(blocks=tuple(self.blocks))


class Report(Piece, frozen=True):
    """What a job found, as data that every renderer shows alike.

    Args:
        title: verbatim.
        sections: in reading order.
        summary: a paragraph or two for readers who stop there, with the light markup of `Text`.
        facts: what the report is about, such as the run's folder, versions and the data's fingerprint; verbatim.
        created: when; a time without a zone is taken as local.
        failures: what should hold and does not, each in a clause; a command that made the report ends with exit code 1.

    >>> Report("Dimers", (Section("Energy", (Table((), ()),)),))
    <Report 'Dimers': 1 section, 1 table, 0 figures>
    """

    title: str
    sections: tuple[Section, ...] = ()
    summary: str = ""
    facts: Mapping[str, str] = {}
    created: datetime = msgspec.field(default_factory=_now)
    failures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Accept any iterables, and facts of any type that has a text."""
        facts = {str(name): str(value) for name, value in self.facts.items()}
        created, failures = self.created.astimezone(UTC), tuple(self.failures)
        self._settle(sections=tuple(self.sections), facts=facts, created=created, failures=failures)

    @property
    def blocks(self) -> Iterator[Block]:
        """The blocks of all sections."""
        return (block for section in self.sections for block in section.blocks)

    def thinned(self, many: int) -> Self:
        """This report with at most about `many` points in each figure, as the figures' notes then say."""
        sections = tuple(
            Section(s.title, tuple(b.thinned(many) if isinstance(b, Figure) else b for b in s.blocks))
            for s in self.sections
        )
        return msgspec.structs.replace(self, sections=sections)

    def __repr__(self) -> str:
        """Title and size."""
        kinds = {"section": len(self.sections)}
        for name, kind in (("table", Table), ("figure", Figure)):
            kinds[name] = sum(isinstance(block, kind) for block in self.blocks)
        sizes = ", ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in kinds.items())
        return f"<Report {self.title!r}: {sizes}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from atomloom.report.notebook import mimebundle  # shows reports, so it knows this class

        return mimebundle(self)
