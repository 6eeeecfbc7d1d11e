"""Small examples that specs may name, for plugins whose own would be no better.

::

    WriterSpec(name="mine", load="atomloom_mine.writing:write", example="atomloom.testing.examples:molecules")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomloom.data import Dataset, Packed, PerFrame
from atomloom.data.schema import declared

if TYPE_CHECKING:
    from atomloom.examples.ridge import Config
    from atomloom.runs import Run

FRAMES = 6


def molecules() -> Dataset:
    """Six shaken molecules of three lengths, with `Z`, `R`, `E` and `F`."""
    from atomloom.examples.morse import make

    return make(FRAMES, seed=4)


def charged_molecules() -> Dataset:
    """The same with `mono`, `D` and `total_charge`: made up, but they agree with each other."""
    dataset = molecules()
    lengths = dataset.sizes["atom"]
    starts = np.cumsum(lengths) - lengths
    drawn = np.random.default_rng(5).normal(scale=0.3, size=int(lengths.sum()))
    charges = drawn - np.repeat(np.add.reduceat(drawn, starts) / lengths, lengths)
    dipoles = np.add.reduceat(charges[:, None] * dataset["R"], starts)
    columns = {"D": PerFrame(dipoles), "total_charge": PerFrame(np.zeros(len(dataset)))}
    fields = {name: declared(name) for name in ("mono", *columns)}
    return dataset.with_columns({"mono": Packed(charges, lengths), **columns}, fields)


def gradients() -> Dataset:
    """Molecules with `gradient` in place of `F`."""
    dataset = molecules()
    gradient = {"gradient": Packed(-dataset["F"], dataset.sizes["atom"])}
    return dataset.without("F").with_columns(gradient, {"gradient": declared("gradient")})


def unpaired() -> Dataset:
    """Molecules with `unpaired_electrons`."""
    counts = {"unpaired_electrons": PerFrame(np.arange(FRAMES) % 3)}
    return molecules().with_columns(counts, {"unpaired_electrons": declared("unpaired_electrons")})


def potentials() -> Dataset:
    """Molecules with `esp` on grids of different lengths."""
    lengths = np.arange(3, 3 + FRAMES)
    values = {"esp": Packed(np.linspace(-0.1, 0.1, int(lengths.sum())), lengths)}
    return molecules().with_columns(values, {"esp": declared("esp")})


def npz(folder: Path, /) -> Path:
    """An NPZ as strangers write them: padded, under other names, without units."""
    from atomloom.examples.demo import as_strangers_write

    target = folder / "example.npz"
    np.savez(target, **as_strangers_write(molecules()))  # type: ignore[arg-type]
    return target


def npy(folder: Path, /) -> Path:
    """Positions of three frames in one NPY."""
    target = folder / "positions.npy"
    np.save(target, np.random.default_rng(6).normal(size=(3, 4, 3)))
    return target


def ridge() -> tuple[Config, Dataset]:
    """Options of the ridge model and molecules for it."""
    from atomloom.examples.ridge import Config

    return Config(), molecules()


def ridge_run(folder: Path, /) -> tuple[Run, Dataset]:
    """A finished run of the ridge model, and molecules to judge it by."""
    from atomloom.pipeline import fit
    from atomloom.registry import registry
    from atomloom.testing.fitting import job_for

    config, dataset = ridge()
    job = job_for(registry().get("models", "core:ridge"), config, dataset, folder)
    return fit(job, folder / "run", quiet=True)[0], dataset
