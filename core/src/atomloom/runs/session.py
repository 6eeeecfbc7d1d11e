"""One sitting of a fit: from the moment a process takes the run up until it lets it go.

What the sitting came to is written to ``provenance.json`` whichever way it ends; one whose process was killed has no
end there, which tells it apart.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from atomloom.errors import AtomloomError, TargetError
from atomloom.runs.folder import RunFolder
from atomloom.runs.lock import Holder, locked
from atomloom.runs.provenance import command_line, now
from atomloom.runs.versions import versions


class Session:
    """A sitting that goes on.

    Args:
        files: the folder of the run.
        logger: the run's logger.
    """

    def __init__(self, files: RunFolder, logger: logging.Logger) -> None:
        self._files = files
        self.logger = logger
        self.complete = True
        """Whether all that was to be done is done; a loop over epochs sets it to False until its end."""
        self.trouble: BaseException | None = None
        """Why the engine cannot go on, if it said so; an abandoned loop does not tell why it is left."""
        self.outcome = "running"
        """``running``, or how the sitting ended: ``finished``, ``interrupted`` or ``failed``."""
        self._record: dict[str, Any] = {
            "started": now(),
            "ended": None,
            "outcome": None,
            "pid": Holder.here().pid,
            "host": Holder.here().host,
            "command_line": command_line(),
            "versions": versions(),
        }

    def note(self, **facts: Any) -> None:
        """Add to what provenance says of this sitting."""
        self._record.update(facts)
        provenance = self._files.read_provenance()
        others = [one for one in provenance["sessions"] if one.get("started") != self._record["started"]]
        self._files.write_provenance({**provenance, "sessions": [*others, self._record]})

    def end(self, error: BaseException | None) -> None:
        """Write down how it ended."""
        error = self.trouble if isinstance(error, GeneratorExit) and self.trouble else error
        self.outcome = self._outcome_of(error)
        reason = {} if error is None or self.outcome == "interrupted" else {"reason": reason_of(error)}
        message = f"{self.outcome}: {reason['reason']}" if reason else self.outcome
        self.logger.log(logging.ERROR if self.outcome == "failed" else logging.INFO, message)
        if error is not None and not isinstance(error, AtomloomError | KeyboardInterrupt | GeneratorExit):
            self.logger.info("traceback", exc_info=error)
        self.note(ended=now(), outcome=self.outcome, **reason)

    def _outcome_of(self, error: BaseException | None) -> str:
        if isinstance(error, KeyboardInterrupt | GeneratorExit):
            return "interrupted"
        if error is not None:
            return "failed"
        return "finished" if self.complete else "interrupted"


@contextmanager
def sitting(files: RunFolder, logger: logging.Logger, ended: Callable[[str], None]) -> Iterator[Session]:
    """Hold the run's lock, write its log, and record how the ``with`` block ends; its exceptions pass.

    Args:
        files: the folder of the run.
        logger: the run's logger.
        ended: is told the outcome while the log is still written.
    """
    with ExitStack() as stack:
        stack.enter_context(locked(files.lock, files.path))
        stack.enter_context(logging_to(files, logger))
        stack.enter_context(termination_as_interrupt())
        session = Session(files, logger)
        session.note()
        try:
            yield session
        except BaseException as error:
            _end_in_trouble(session, error, logger)
            ended(session.outcome)
            raise
        session.end(None)
        ended(session.outcome)


def _end_in_trouble(session: Session, error: BaseException, logger: logging.Logger) -> None:
    try:
        session.end(error)
    except TargetError as second:  # the first error is the one to tell
        logger.error("%s", second)


def reason_of(error: BaseException) -> str:
    """An error in one line."""
    text = str(error) if isinstance(error, AtomloomError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


@contextmanager
def logging_to(files: RunFolder, logger: logging.Logger) -> Iterator[None]:
    """Let what the run's logger says go to ``run.log``, and what atomloom's other loggers say go there as well."""
    ours = logging.getLogger("atomloom")
    handler = _RunLog(files.log, encoding="utf-8", delay=True)
    handler.setFormatter(_formatter())
    logger.setLevel(logging.INFO)
    logger.propagate = False  # what a person shall see is said by the command; this is the record
    # Python shows warnings to a person only while nobody takes them, and the log does.
    shown = None if ours.hasHandlers() else logging.lastResort
    for one in (ours, logger):
        one.addHandler(handler)
    if shown is not None:
        ours.addHandler(shown)
    try:
        yield
    finally:
        for one in (ours, logger):
            one.removeHandler(handler)
        if shown is not None:
            ours.removeHandler(shown)
        handler.close()


class _RunLog(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on: a log that cannot be written must not end a fit, and what matters more will fail by itself."""


def _formatter() -> logging.Formatter:
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let a polite termination (a batch system's, before it kills) end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
