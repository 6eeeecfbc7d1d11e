"""What does `atomloom --help` cost beside importing the three libraries that any plugin system like it needs?

CPU time (user and system, of the whole process) in medians of alternating runs, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

RUNS = 20
LIMIT = 1.5
PEER = [sys.executable, "-c", "import click, importlib_metadata, pluggy"]
OURS = [sys.executable, str(Path(sys.executable).parent / "atomloom"), "--help"]


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of a command, its output thrown away."""
    silence = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=silence), 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with exit code {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Print the table; 1 when the limit is passed."""
    commands = {"atomloom --help": OURS, "import click, importlib_metadata, pluggy": PEER}
    for command in commands.values():
        cpu_seconds(command)  # writes the byte code, which is no part of the question
    times: dict[str, list[float]] = {label: [] for label in commands}
    for _ in range(RUNS):
        for label, command in commands.items():
            times[label].append(cpu_seconds(command))
    medians = {label: median(measured) for label, measured in times.items()}
    ours, peer = medians.values()
    print(f"CPU time, median of {RUNS} alternating runs")
    for label, seconds in medians.items():
        print(f"  {label:44}{1000 * seconds:8.1f} ms")
    print(f"  {'ratio':44}{ours / peer:8.2f}     limit {LIMIT}")
    return int(ours > LIMIT * peer)


if __name__ == "__main__":
    sys.exit(main())
