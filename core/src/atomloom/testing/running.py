"""Runs one check and says what became of it; whatever it raises, the next one can run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from atomloom.errors import AtomloomError
from atomloom.registry import Registry
from atomloom.registry.load import problem_of
from atomloom.testing.check import Broken, Result
from atomloom.testing.planning import Planned
from atomloom.testing.subject import Subject


def run(planned: Planned, known: Registry, folder: Path | None = None) -> Result:
    """The result of a check, which is run in this process.

    Args:
        folder: an empty folder for it to work in; a temporary one unless given.
    """
    if planned.waiver:
        return Result("waived", planned.waiver)
    start = perf_counter()
    with TemporaryDirectory(prefix="atomloom-check-", ignore_cleanup_errors=True) as temporary:
        subject = Subject(known, planned.record, planned.contribution, folder or Path(temporary))
        outcome = _outcome(planned, subject)
    return Result(outcome.outcome, outcome.said, perf_counter() - start, outcome.traceback)


def _outcome(planned: Planned, subject: Subject) -> Result:
    try:
        return Result("passed", planned.check.run(subject) or "")
    except KeyboardInterrupt:
        raise
    except (Broken, AtomloomError) as error:  # what they say is enough
        return Result("failed", str(error))
    except BaseException as error:  # SystemExit and panics of a plugin are no end of the others' checks
        problem = problem_of(error)
        return Result("failed", problem.reason, traceback=problem.traceback)
