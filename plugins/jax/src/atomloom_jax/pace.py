"""How fast a training goes, and for how much of its time the devices wait for data."""

from __future__ import annotations

from typing import Any, NamedTuple


class Pace(NamedTuple):
    """Work that was done and the time that it took; what is compiled once counts to neither.

    Args:
        structures: frames, padding not among them.
        seconds: from the first to the last of them.
        stalled: of these, how long no update was under way while data was waited for.
    """

    structures: int = 0
    seconds: float = 0.0
    stalled: float = 0.0

    def plus(self, other: Pace) -> Pace:
        """Both together.

        >>> Pace(10, 1.0, 0.5).plus(Pace(30, 3.0, 0.5))
        Pace(structures=40, seconds=4.0, stalled=1.0)
        """
        return Pace(self.structures + other.structures, self.seconds + other.seconds, self.stalled + other.stalled)

    @property
    def rate(self) -> float:
        """Structures per second."""
        return self.structures / self.seconds if self.seconds else 0.0

    @property
    def waiting(self) -> float:
        """The share of the time in which the devices waited for data."""
        return self.stalled / self.seconds if self.seconds else 0.0

    def facts(self, programs: int) -> dict[str, Any]:
        """As provenance keeps it, with the number of compiled programs."""
        return {
            "structures_per_second": round(self.rate, 1),
            "waiting_for_data": round(self.waiting, 4),
            "programs_compiled": programs,
        }
