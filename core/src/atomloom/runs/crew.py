"""The processes that fit one run together: the first of them writes it, the others follow."""

from __future__ import annotations


class Crew:
    """This process alone; a backend that trains in several processes gives a crew of its own.

    Attributes:
        process: the number of this process, the first being 0.
        processes: how many there are.

    >>> Crew().leads, Crew().from_first(b"a word")
    (True, b'a word')
    """

    process: int = 0
    processes: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.process == 0

    def from_first(self, value: bytes) -> bytes:
        """What the first process gives, in each of them; all have to call it, in the same order."""
        return value
