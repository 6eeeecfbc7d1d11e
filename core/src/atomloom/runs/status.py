"""What has become of a run, told from its folder alone."""

from __future__ import annotations

from atomloom.runs.folder import RunFolder
from atomloom.runs.lock import holder

STATUSES = ("running", "interrupted", "failed", "finished")
"""All that a run can be."""


def status_of(files: RunFolder) -> str:
    """One of `STATUSES`.

    A run whose process was killed is interrupted, and so is one that never began: both can be resumed.

    Raises:
        RunError: when there is no run, or it is damaged.
    """
    sessions = files.read_provenance()["sessions"]
    if holder(files.lock) is not None:
        return "running"
    outcome = sessions[-1].get("outcome") if sessions else None
    return outcome if outcome in STATUSES else "interrupted"
