"""The processes that train together: how many there are, what they tell each other, and when they stop together.

All of it is JAX's own runtime, which `jax.distributed.initialize` starts (`atomloom jax join` calls it; so may others).
What is told is told in all of them, so every process has to call these functions, in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from atomloom.errors import RunFailed
from atomloom.runs import Crew, Run

LENGTH_UNIT = 1 << 31
"""Lengths are told in two numbers of 32 bits, for JAX has no longer ones by default."""

_LOST = ("Gloo", "NCCL", "RCCL", "coordination service", "heartbeat")
"""What JAX's errors name when a process cannot be reached."""


class Processes(Crew):
    """The processes of `jax.distributed`."""

    def __init__(self) -> None:
        self.process, self.processes = jax.process_index(), jax.process_count()

    def from_first(self, value: bytes) -> bytes:
        """What the first process gives, in each of them."""
        length = multihost_utils.broadcast_one_to_all(_length(value))
        sent = _padded(value if self.leads else b"", _joined(length))
        return bytes(multihost_utils.broadcast_one_to_all(sent))


def crew() -> Crew:
    """Those of `jax.distributed` where it was started; this process alone otherwise, and no device is touched."""
    return Processes() if jax.distributed.is_initialized() else Crew()


def from_all(value: Any) -> list[Any]:
    """What each process gives, plain data, in the order of the processes."""
    if jax.process_count() == 1:
        return [value]
    text = json.dumps(value).encode()
    lengths = [_joined(each) for each in multihost_utils.process_allgather(_length(text))]
    gathered = multihost_utils.process_allgather(_padded(text, max(lengths)))
    return [json.loads(bytes(each[:length])) for each, length in zip(gathered, lengths, strict=True)]


class Stopping:
    """Whether somebody asked for a stop, decided at the same step in all processes.

    JAX's runtime spreads the word of the process that got SIGTERM, and finds the first step that none has passed.
    """

    def __init__(self) -> None:
        self._steps = 0

    def after_step(self) -> None:
        """Count a step that was sent to the devices.

        Raises:
            KeyboardInterrupt: in all processes, when it is the last one.
        """
        self._steps += 1
        if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(self._steps):
            raise StoppedTogether


class StoppedTogether(KeyboardInterrupt):
    """Ctrl-C or a polite termination of one process, that reached all of them."""


@contextmanager
def loss_told(run: Run) -> Iterator[None]:
    """Let an error of JAX about a process that is gone say so."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if jax.process_count() == 1 or not any(sign in str(error) for sign in _LOST):
            raise
        found = f"another of its {jax.process_count()} processes cannot be reached any more"
        todo = f"What that one said tells why; `atomloom resume {run.folder}` goes on, with any number of processes"
        raise RunFailed(f"go on with the run '{run.name}'", found, todo) from error


def _length(value: bytes) -> np.ndarray:
    return np.array(divmod(len(value), LENGTH_UNIT), np.uint32)


def _joined(length: np.ndarray) -> int:
    return int(length[0]) * LENGTH_UNIT + int(length[1])


def _padded(value: bytes, length: int) -> np.ndarray:
    return np.frombuffer(value.ljust(length, b"\0"), np.uint8)
