"""Readers, writers, harmonizers, losses, post-processors, ... that break a promise each."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import click
import numpy as np

import atomloom
from atomloom.data import PerFrame
from atomloom.model import Backend
from atomloom.numpy_backend import NumpyOps

calls = itertools.count()


def file(folder: Path, /) -> Path:
    """Four energies."""
    path = folder / "example.wrong"
    path.write_text("1.0 2.0 3.0 4.0")
    return path


def read(source: Path, /) -> atomloom.Dataset:
    """The energies of a file, rightly."""
    return atomloom.Dataset.from_arrays({"E": np.array(source.read_text().split(), dtype=float)})


class Forgetful:
    """Rows that are others when a part of them is asked for."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        found = self.values[key]
        return found if len(found) == len(self.values) else found + 1.0


class Mistyped(Forgetful):
    """Rows that are of another type than they say."""

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.values[key].astype(np.float32)


def read_with(rows: Any, source: Path) -> atomloom.Dataset:
    """The energies of a file as rows of some class."""
    dataset = read(source)
    return atomloom.Dataset({"E": PerFrame(rows(dataset["E"]))}, dataset.fields)


def slices(source: Path, /) -> atomloom.Dataset:
    """Slices differ from the whole."""
    return read_with(Forgetful, source)


def schema(source: Path, /) -> atomloom.Dataset:
    """The type is another than announced."""
    return read_with(Mistyped, source)


def source(source: Path, /) -> atomloom.Dataset:
    """Writes into the file that it reads."""
    dataset = read(source)
    source.write_text(source.read_text() + " ")
    return dataset


def round_trip(dataset: atomloom.Dataset, target: Path, /) -> None:
    """Loses digits."""
    target.write_text(" ".join(f"{energy:.0f}" for energy in dataset["E"]))


def whole(dataset: atomloom.Dataset, target: Path, /) -> None:
    """Leaves half a file behind."""
    with target.open("w") as file:
        file.writelines(f"{energy} " for energy in dataset["E"])


def energies() -> atomloom.Dataset:
    """What such a file can hold."""
    return atomloom.Dataset.from_arrays({"E": np.array([0.25, 0.75])})


def pure(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """Adds to the data set that it is given."""
    dataset.meta["seen"] = next(calls)
    return dataset, []


def gives(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """Makes nothing."""
    return dataset, []


def truth(predicted: Any, target: Any, weight: Any, ops: Any) -> Any:
    """Compares with something else."""
    return weight * (predicted["E"] - 1.01 * target["E"]) ** 2, weight


def padding(predicted: Any, target: Any, weight: Any, ops: Any) -> Any:
    """Spreads over all slots."""
    every = ((predicted["E"] - target["E"]) ** 2).sum()
    return weight * every, weight


def squared(predicted: Any, target: Any, weight: Any, ops: Any) -> Any:
    """Right."""
    return weight * (predicted["E"] - target["E"]) ** 2, weight


def gradient(predicted: Any, target: Any, weight: Any, ops: Any) -> Any:
    """Right in its value, and one factor is kept from the differentiation."""
    difference = predicted["E"] - target["E"]
    return weight * difference * ops.xp.real(difference), weight


def backends(predicted: Any, target: Any, weight: Any, ops: Any) -> Any:
    """Counts in its own way where it is not numpy's."""
    counts = weight if type(ops) is NumpyOps else 2.0 * weight
    return weight * (predicted["E"] - target["E"]) ** 2, counts


class OtherOps(NumpyOps):
    """The functions of numpy."""


class Differentiating(Backend):
    """numpy with a gradient, by a step in the imaginary direction: d f / dx = Im f(x + ih) / h."""

    ops = OtherOps()

    def gradient(self, function: Any, at: Any) -> Any:
        """One component after the other."""
        slopes = {}
        for name, values in at.items():
            slopes[name] = np.zeros_like(values)
            for place in np.ndindex(values.shape):
                moved = values.astype(complex)
                moved[place] += 1e-20j
                slopes[name][place] = function({**at, name: moved}).imag / 1e-20
        return slopes


BACKEND = Differentiating()


class WrongOps(NumpyOps):
    """Segments that are not summed."""

    def segment_sum(self, values: Any, segments: Any, count: int) -> Any:
        """Means."""
        return super().segment_sum(values, segments, count) / 2


class Wrong(Backend):
    """With these."""

    ops = WrongOps()


WRONG_BACKEND = Wrong()


def run_kept(run: atomloom.Run, dataset: atomloom.Dataset, /) -> atomloom.Report:
    """Leaves a note in the run."""
    (run.folder / "note.txt").write_text("I was here")
    return atomloom.Report("A note")


def renders(report: atomloom.Report, folder: Path, /) -> Path:
    """Writes beside the folder."""
    target = folder.parent / "elsewhere.wrong"
    target.write_text(report.title)
    return target


def report() -> atomloom.Report:
    """A report."""
    return atomloom.Report("Nothing")


help = click.Command("help", callback=lambda: None)


def killing(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """Takes the interpreter with it."""
    os._exit(7)


def crashing(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """As a bug in C would."""
    import ctypes

    return ctypes.string_at(0)


def endless(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """Never comes back."""
    import time

    time.sleep(3600)


def harmless(dataset: atomloom.Dataset, /, *, choices: Any) -> Any:
    """Right."""
    return dataset, []
