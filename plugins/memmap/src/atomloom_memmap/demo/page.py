"""The report of the demo."""

from __future__ import annotations

import numpy as np

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Counts,
    Heights,
    Histogram,
    KeyFigure,
    KeyFigures,
    Report,
    Section,
    Table,
    Text,
)
from atomloom_memmap.demo.job import ATOMS, BATCH, BY_ATOMS, LARGEST, PACKED, PADDED, PLAIN, Measured


def page(measured: Measured) -> Report:
    """What was measured, in words, numbers and pictures."""
    count = len(measured.atoms)
    rates = {name: timed.rate(count)[0] / 1e6 for name, timed in measured.epochs.items()}
    first = {name: 1e3 * timed.median for name, timed in measured.first.items()}
    memory = {name: size / 1e6 for name, size in measured.memory.items()}
    padding = {name: 100 * waste.atoms for name, waste in measured.wastes.items()}
    summary = (
        f"{count:,} molecules: the store gives its first batch after {first['store']:.0f} ms and {memory['store']:.0f} "
        f"MB of memory, the padded NPZ after {first['NPZ']:.0f} ms and {memory['NPZ']:.0f} MB. Then rows of the NPZ in "
        f"memory come at {rates[PLAIN]:.2f} million molecules/s, batches of the store that are padded alike at "
        f"{rates[PADDED]:.2f} ({padding[LARGEST]:.0f} % padding), and those of {ATOMS} atoms at {rates[PACKED]:.2f} "
        f"({padding[BY_ATOMS]:.1f} %)."
    )
    sections = (
        Section("In short", (_key_figures(measured),)),
        Section("The molecules", _molecules(measured)),
        Section("The files", _files(measured)),
        Section("An epoch of shuffled batches", _streams(measured)),
        Section("What is padding", _padding(measured)),
    )
    facts = {
        "molecules": f"{count:,} chains of springs of {int(measured.atoms.sum()):,} atoms",
        "made in": f"{measured.making:.1f} s",
        "batches": f"{BATCH} molecules, or {ATOMS} atoms",
        "repeats": f"{len(measured.epochs[PLAIN].seconds)} in turn; medians, with half their range",
    }
    return Report("A packed store beside a padded NPZ", sections, summary, facts)


def _key_figures(measured: Measured) -> Block:
    count = len(measured.atoms)

    def streamed(name: str) -> KeyFigure:
        rate, spread = measured.epochs[name].rate(count)
        return KeyFigure("Streamed", rate / 1e3, "thousand molecules/s", spread / 1e3, note=name)

    return KeyFigures(
        (
            KeyFigure(
                "First batch", 1e3 * measured.first["store"].median, "ms", digits=3, note="from nothing, of the store"
            ),
            streamed(PADDED),
            streamed(PACKED),
            KeyFigure("Packed", count / measured.packing / 1e3, "thousand molecules/s", digits=3, note="from the NPZ"),
            KeyFigure("Verified", measured.store / measured.verifying / 1e9, "GB/s", digits=3, note="every byte"),
            KeyFigure("Size", measured.store / measured.payload, digits=4, note="store to payload"),
            KeyFigure(
                "Padding of atoms",
                100 * measured.wastes[BY_ATOMS].atoms,
                "%",
                digits=2,
                note=f"packed to {ATOMS} atoms, one shape",
            ),
        )
    )


def _molecules(measured: Measured) -> tuple[Block, ...]:
    edges = np.arange(measured.atoms.min(), measured.atoms.max() + 2) - 0.5
    return (
        Histogram(
            title="Atoms of a molecule",
            edges=edges,
            series=(Counts("", np.histogram(measured.atoms, edges)[0]),),
            x=Axis("atoms"),
            y=Axis("molecules"),
            caption="Sizes and elements are about those of QM9; energies and forces are those of a chain of springs.",
        ),
    )


def _files(measured: Measured) -> tuple[Block, ...]:
    sources = ("NPZ", "store")
    table = Table.of(
        [
            (Column("", kind="text"), ("padded NPZ", "packed store")),
            (Column("size", "MB", precision=1), [size / 1e6 for size in (measured.npz, measured.store)]),
            (Column("written in", "s", precision=2), (measured.saving, measured.packing)),
            (Column("first batch after", "ms"), [1e3 * measured.first[name].median for name in sources]),
            (Column("memory until then", "MB", precision=1), [measured.memory[name] / 1e6 for name in sources]),
        ],
        caption=(
            "The NPZ is written from arrays in memory. The store is packed from the NPZ: fields are recognised, "
            "padding is dropped, every 64 KiB gets a checksum, and all is brought to the disk. Memory is what is "
            "allocated; mapped files are not among it. All files are in the system's cache when they are read."
        ),
    )
    return (table,)


def _streams(measured: Measured) -> tuple[Block, ...]:
    count, names = len(measured.atoms), tuple(measured.epochs)
    rates, spreads = (
        np.array(each) / 1e3 for each in zip(*(measured.epochs[n].rate(count) for n in names), strict=True)
    )
    bars = Bars(
        title="Rates",
        labels=names,
        series=(Heights("", rates, spreads),),
        y=Axis("rate", "thousand molecules/s"),
        caption=(
            "Medians over whole epochs in random order; error bars are half the range of the repeats. The NPZ lies in "
            "memory by then and its rows are picked by an array of indices; batches of the store come with masks and "
            "segments, from files whose blocks are checked when they are first read."
        ),
    )
    table = Table.of(
        [
            (Column("batches from", kind="text"), names),
            (Column("rate", "thousand molecules/s", uncertainty="half range"), rates),
            (Column("half range", "thousand molecules/s"), spreads),
            (Column("epoch", "s", precision=2), [measured.epochs[name].median for name in names]),
        ]
    )
    return bars, table


def _padding(measured: Measured) -> tuple[Block, ...]:
    names, wastes = tuple(measured.wastes), list(measured.wastes.values())
    atoms, pairs = ([100 * getattr(waste, axis) for waste in wastes] for axis in ("atoms", "pairs"))
    return (
        Text("A model computes on padding as on atoms, so a share that is padding is a share of its time."),
        Bars(
            title="Share of slots that are padding",
            labels=names,
            series=(Heights("atoms", np.array(atoms)), Heights("pairs", np.array(pairs))),
            y=Axis("padding", "%"),
            caption=(
                "Counted over the batches of an epoch. Pairs are all ordered pairs of atoms of a molecule; the last "
                "plan has slots for as many as an average batch has, and 1 % more."
            ),
        ),
        Table.of(
            [
                (Column("plan", kind="text"), names),
                (Column("batches", kind="integer"), [waste.batches for waste in wastes]),
                (Column("shapes", kind="integer"), [waste.shapes for waste in wastes]),
                (Column("padding of atoms", "%", precision=2), atoms),
                (Column("padding of pairs", "%", precision=2), pairs),
            ]
        ),
    )
