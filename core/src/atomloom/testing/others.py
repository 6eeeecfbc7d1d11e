"""What post-processors, backends, commands and renderers promise."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import click
import numpy as np

from atomloom.data import Dataset
from atomloom.model import Backend
from atomloom.numpy_backend import NumpyOps
from atomloom.report import Report
from atomloom.runs import Run
from atomloom.runs.fingerprint import fingerprint
from atomloom.testing.check import Check, demand
from atomloom.testing.subject import Subject

DIGITS = 1e-5
"""How far the functions of a backend may be from numpy's, as a part of the value; some compute in float32."""


def run_kept(subject: Subject) -> str:
    """The folder of a run before and after it was judged."""
    made = subject.example
    pair = isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], Run) and isinstance(made[1], Dataset)
    demand(pair, "the example gives no pair of a Run and a Dataset")
    run, dataset = made
    before = fingerprint(run.folder)
    report = subject.loaded(run, dataset)
    demand(isinstance(report, Report), f"it returns a {type(report).__name__} and no Report")
    demand(fingerprint(run.folder) == before, "the folder of the run is not what it was before")
    return repr(report)


def ops(subject: Subject) -> None:
    """The functions of a backend against numpy's."""
    backend = subject.loaded
    demand(isinstance(backend, Backend), f"it is a {type(backend).__name__} and no atomloom.Backend")
    found, expected, random = backend.ops, NumpyOps(), np.random.default_rng(0)
    values, segments = random.normal(size=(7, 3)).astype(np.float32), np.array([0, 2, 2, 0, 4, 4, 4], dtype=np.int32)
    given = found.xp.asarray(values)
    pairs = {
        "segment_sum": (
            found.segment_sum(given, found.xp.asarray(segments), 5),
            expected.segment_sum(values, segments, 5),
        ),
        "i0e": (found.i0e(10 * given), expected.i0e(10 * values)),
        "logsumexp": (found.logsumexp(10 * given, axis=0), expected.logsumexp(10 * values, axis=0)),
    }
    for name, (one, other) in pairs.items():
        demand(np.allclose(np.asarray(one), other, rtol=DIGITS, atol=DIGITS), f"its {name} is not that of numpy")


def help_text(subject: Subject) -> None:
    """What ``--help`` of a command does."""
    from click.testing import CliRunner

    command = subject.loaded
    demand(isinstance(command, click.Command), f"it is a {type(command).__name__} and no click command")
    demand(bool(command.help), "it has no help text")
    done = CliRunner().invoke(command, ["--help"], prog_name=subject.spec.name)
    demand(done.exit_code == 0, f"its --help ends with exit code {done.exit_code}")


def renders(subject: Subject) -> str:
    """The files that a renderer makes of a report."""
    report = subject.example
    demand(isinstance(report, Report), f"the example gives a {type(report).__name__} and no Report")
    before, folder = deepcopy(report), subject.folder / "report"
    folder.mkdir()
    made = subject.loaded(report, folder)
    demand(report == before, "the report is not what it was before")
    demand(made is None or isinstance(made, Path), f"it returns a {type(made).__name__} and no path")
    demand(made is not None, "it makes nothing of the example")
    demand(
        made.exists() and folder in made.parents, f"it returns '{made}', which is not in the folder that it was given"
    )
    return f"{sum(path.is_file() for path in folder.rglob('*'))} files"


CHECKS = (
    Check("run_kept", "postprocessors", "It gives a Report, and leaves the folder of the run as it was.", run_kept),
    Check("ops", "backends", "It is a Backend, and the functions of its ops are those of numpy.", ops),
    Check("help", "commands", "It is a click command with a help text, and its --help works.", help_text),
    Check("renders", "renderers", "It writes files into the folder that it is given, and leaves the report.", renders),
)
