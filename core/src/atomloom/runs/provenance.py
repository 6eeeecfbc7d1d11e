"""Where a run comes from: enough to repeat it, and to see what differs when it cannot be repeated."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atomloom.runs.fingerprint import fingerprint
from atomloom.runs.versions import versions


def describe(
    *,
    data: Iterable[str | Path] = (),
    seeds: Mapping[str, int] | None = None,
    split: Mapping[str, Any] | None = None,
    used: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What goes into the ``provenance.json`` of a new run.

    Everything but ``created`` is the same when the same is done again on the same machine.

    Args:
        data: files and folders that the run reads; their fingerprints are taken.
        seeds: what the random numbers start from, by purpose.
        split: how the data were split, such as the number of frames in each part and a digest of their indices.
        used: the contributions that the run uses, each as from `atomloom.runs.cite.used`.

    Raises:
        DataError: when some of the data cannot be read.
    """
    return {
        "created": now(),
        "command_line": command_line(),
        "versions": versions(),
        "platform": {"system": platform.platform(), "machine": platform.machine()},
        "seeds": dict(seeds or {}),
        "split": dict(split or {}),
        "data": [fingerprint(path) for path in data],
        "used": [dict(one) for one in used],
    }


def now() -> str:
    """The present time as provenance writes it: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def command_line() -> str:
    """How this process was started, as one would type it."""
    program, *rest = sys.argv or [""]
    return shlex.join([Path(program).name, *rest])
