"""Padded batches in a global random order, and what each format costs to write, to store and to open."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from tables import Limit, table

from memmap import arrows, chunked, compiled, lmdbs, ours, plain, records
from memmap.contenders import Contender, Epoch
from memmap.measuring import alternating, rate, ratio, seconds
from memmap.molecules import FRAMES, SLOTS, Molecules, bytes_in

LARGEST = 1.03
"""How many times the payload a store of ours may take."""

OURS = ours.CONTENDERS[0]
CONTENDERS = (
    OURS, *compiled.CONTENDERS, *plain.CONTENDERS, *lmdbs.CONTENDERS, *arrows.CONTENDERS, *records.CONTENDERS,
    *chunked.CONTENDERS,
)  # fmt: skip
FORMS = ("{:.2f}", "{:.3f}", "{:.2f}", "{:,.0f}", "{:.2f}")
OPENED = 5  # how often opening is timed


class Ready(NamedTuple):
    """A contender that was written, opened and checked."""

    molecules: int
    written: float
    size: float
    opened: float
    epoch: Epoch


def run(molecules: Molecules, folder: Path, rounds: int) -> list[Limit]:
    """Print the table."""
    ready, skipped = {}, {}
    for contender in CONTENDERS:
        if reason := contender.reason:
            skipped[contender.name] = reason
        else:
            ready[contender.name] = prepared(contender, molecules, folder / contender.name.replace(" ", "_"))
    repetitions = {
        name: partial(rate, each.epoch, each.molecules, np.random.default_rng(number))
        for number, (name, each) in enumerate(ready.items())
    }
    rates = alternating(repetitions, rounds)
    ratios = {name: ratio(rates[OURS.name], measured) for name, measured in rates.items()}
    shown(molecules, ready, rates, ratios, skipped)
    asked = [one for one in CONTENDERS if one.limit and one.name in ratios]
    limits = [Limit(f"ours / {one.name}", ratios[one.name], one.limit) for one in asked]
    return [*limits, Limit("size of a store / payload", ready[OURS.name].size, LARGEST, least=False)]


def prepared(contender: Contender, molecules: Molecules, folder: Path) -> Ready:
    """Write, open and check."""
    chosen = molecules.first(contender.molecules or len(molecules))
    folder.mkdir()
    written = seconds(lambda: contender.write(chosen, folder))
    size = bytes_in(folder) / chosen.payload
    opened = median(seconds(lambda: contender.open(folder)) for _ in range(OPENED))
    epoch = contender.open(folder)
    contender.check(epoch, chosen)
    return Ready(len(chosen), written, size, opened, epoch)


def shown(
    molecules: Molecules,
    ready: dict[str, Ready],
    rates: dict[str, list[float]],
    ratios: dict[str, float],
    skipped: dict[str, str],
) -> None:
    """The table."""
    heads = ("", "write s", "size / payload", "open ms", "batches, mol/s", "ours / this", "asked")
    asked = {each.name: f"{each.limit:g}" for each in CONTENDERS if each.limit}
    rows = []
    for name, each in ready.items():
        numbers = (each.written, each.size, 1000 * each.opened, median(rates[name]), ratios[name])
        cells = [form.format(number) for form, number in zip(FORMS, numbers, strict=True)]
        rows.append((name, *cells, asked.get(name, "")))
    notes = [f"{name}: skipped, {reason}" for name, reason in skipped.items()]
    notes += [
        f"{name}: on {each.molecules} molecules, of which smaller files are quicker to read"
        for name, each in ready.items()
        if each.molecules < len(molecules)
    ]
    table(f"Random padded batches [{FRAMES}, {SLOTS}] of {len(molecules)} molecules", heads, rows, notes)
