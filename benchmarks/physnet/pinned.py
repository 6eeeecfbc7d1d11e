"""Timed steps, taken in turns in a process of its own that is held to one core.

On one core no contender waits for threads of its own that a busy machine keeps from running, and the processor time of
a step is its work and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

Step = Callable[[], object]


def found_by(module: str, *numbers: int) -> Any:
    """What ``measured(*numbers)`` of a module of this package gives on one core; it has to fit into JSON."""
    command = [sys.executable, "-m", "physnet.pinned", module, *map(str, numbers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout)


def in_turns(steps: Mapping[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every step in each round; the first two rounds warm up and are thrown away."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 2):
        for name, step in steps.items():
            start = process_time()
            step()
            if number > 1:
                taken[name].append(process_time() - start)
    return taken


def main() -> None:
    """Hold this process to one core, before anything counts the cores, and print what a module measures."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    module, *numbers = sys.argv[1:]
    print(json.dumps(import_module(f"physnet.{module}").measured(*map(int, numbers))))


if __name__ == "__main__":
    main()
