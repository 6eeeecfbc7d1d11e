"""One process of several: it joins the others by JAX's own runtime, runs a command of atomloom, and leaves.

Joining comes before anything else, for JAX has to know of the others before it looks at a device. A process that fails
leaves without waiting for the others, which JAX then ends; one that is done waits for them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import jax

from atomloom.errors import ConfigError
from atomloom_jax.processes import StoppedTogether

HEARTBEAT = 30
"""Seconds without a sign of life after which JAX takes a process for dead and ends the others."""


class Place(NamedTuple):
    """Where a process stands among the others; what is None is found by JAX from Slurm, MPI or Kubernetes.

    Args:
        coordinator: ``HOST:PORT`` of the first process.
        processes: how many there are.
        process: the number of this one, the first being 0.
        detection: how JAX is to find the rest, such as ``"mpi4py"``; by default it tries all that it knows.
    """

    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None
    detection: str | None = None


def join(place: Place, arguments: Sequence[str]) -> NoReturn:
    """Run ``atomloom ARGUMENTS`` as one of several processes, and exit as it does."""
    from atomloom.cli.frame import atomloom

    initialize(place)
    quiet = ["--quiet"] if jax.process_index() else []  # the first one speaks for all
    try:
        atomloom.main([*quiet, *arguments], prog_name="atomloom")
    except SystemExit as ended:
        leave(ended)


def initialize(place: Place) -> None:
    """Join the others; waits until all are there.

    Raises:
        ConfigError: when it is not clear who they are.
    """
    # Core turns SIGTERM into Ctrl-C where nobody else takes it. Here JAX does, who then tells the other processes.
    signal.signal(signal.SIGTERM, _stop)
    given = (place.coordinator, place.processes, place.process)
    try:
        jax.distributed.initialize(
            *given,
            cluster_detection_method=place.detection if None in given else "deactivate",
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except (ValueError, TypeError) as error:
        todo = "Start it by srun, mpirun or as a Kubernetes job, or give --coordinator, --processes and --process"
        raise ConfigError("join other processes", f"JAX says: {str(error).rstrip('.')}", todo) from error
    signal.signal(signal.SIGINT, _stop)


def leave(ended: SystemExit) -> NoReturn:
    """Exit: together with the others if all is well or all stopped, otherwise at once, so that JAX ends the others."""
    code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    if code == 0 or _caused_by(ended, StoppedTogether):
        jax.distributed.shutdown()
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)  # what runs at exit would wait for all the others first


def _stop(number: int, frame: FrameType | None) -> None:
    """The first Ctrl-C asks all processes to stop together, the second ends this one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGTERM)


def _caused_by(error: BaseException | None, kind: type[Any]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
