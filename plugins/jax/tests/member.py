"""One of two processes that fit ``exp.toml`` together; it leaves what it read and what it ended with.

Called as ``python member.py HOST:PORT PROCESS``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from atomloom_jax.joining import Place, initialize


def main(coordinator: str, process: str) -> None:
    """Join, fit, and write ``memberPROCESS.npz``."""
    initialize(Place(coordinator, 2, int(process)))
    from atomloom.experiment import load, resolved
    from atomloom.pipeline import fit, prepare
    from atomloom_jax.feeding import Feed

    job = prepare(resolved(load("exp.toml"), Path.cwd()))
    read: list[np.ndarray] = []
    prepared = Feed.prepared

    def noted(feed: Feed, planned: Any) -> Any:
        if len(feed.near.dataset) == len(job.parts.train):
            read.extend(each.frames for each in planned)
        return prepared(feed, planned)

    Feed.prepared = noted  # type: ignore[method-assign]  # to see what this process reads
    run, _ = fit(job, "runs/two")
    latest = run.latest()
    assert latest is not None, "it has fitted an epoch"
    np.savez(f"member{process}.npz", **{"frames read": np.concatenate(read), **latest.leaves})


if __name__ == "__main__":
    main(*sys.argv[1:])
