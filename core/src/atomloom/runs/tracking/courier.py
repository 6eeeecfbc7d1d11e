"""Carries messages to one service in a thread of its own, until the first that fails.

A fit is worth more than the record of it: a service that is slow is waited for only at the end, and one that fails, or
does not come to an end, is reported once and left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

PATIENCE = 60.0
"""Seconds that a service has at the end of a session for what it has not taken yet."""

logger = logging.getLogger(__name__)


class Courier:
    """Delivers calls one after the other, without making who sends them wait.

    Args:
        title: of the service, for the one message when it fails.

    >>> said = []
    >>> courier = Courier("a list")
    >>> courier.send(lambda: said.append("loss"))
    >>> courier.close()
    >>> said
    ['loss']
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._failed = False
        self._thread = Thread(target=self._deliver, name=f"atomloom: {title}", daemon=True)
        self._thread.start()

    def send(self, call: Callable[[], None]) -> None:
        """Have it called in a while; never, once one has failed."""
        if not self._failed:
            self._calls.put(call)

    def close(self, patience: float = PATIENCE) -> None:
        """Wait until all is delivered, for `patience` seconds at most."""
        self._calls.put(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            self._give_up(f"it did not answer within {patience:g} s")

    def _deliver(self) -> None:
        while (call := self._calls.get()) is not None:
            if self._failed:
                continue
            try:
                call()
            except BaseException as error:  # whatever a service raises, SystemExit included, is no reason to stop a fit
                self._give_up(" ".join(f"{type(error).__name__}: {error}".split()))
                logger.debug("traceback", exc_info=error)

    def _give_up(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            logger.warning("%s is told no more of this run, which goes on without it: %s", self._title, reason)
