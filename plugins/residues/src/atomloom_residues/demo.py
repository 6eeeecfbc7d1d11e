"""The demo: chains whose forces are known, from padded files over a training to its averages and its errors.

What is trained is `bead-network` where atomloom-beads is installed, else the prior, which has one checkpoint and so no
averages. The forces have noise, as those of coarse-grained data do, and how much of it is known here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from atomloom.data import Dataset
from atomloom.experiment import loads, resolved
from atomloom.pipeline import fit, prepare
from atomloom.pipeline.evaluating import held_out
from atomloom.registry import registry
from atomloom.report import Column, Report, Section, Table, Text
from atomloom.runs import Run
from atomloom.units import convert
from atomloom_residues.average_report import compare
from atomloom_residues.bucket_costs import costs
from atomloom_residues.chains import chains
from atomloom_residues.combining import boundaries, combine_and_pad_npz_bucketed
from atomloom_residues.layouts import certify
from atomloom_residues.recipe import Recipe, averaged
from atomloom_residues.residue_post import per_residue
from atomloom_residues.tree_writing import write_tree

LENGTHS = (8, 9, 11, 14, 20, 28)
FRAMES, NOISE = 60, 0.15
"""Of each chain; and the standard deviation of what is added to force components, in eV/angstrom."""

NETWORK, PRIOR = "bead-network", "chain-prior"

EXPERIMENT = """\
[[data.source]]
path = "03_bucketed_npz"
reader = "buckets"
[data.split]
train = 0.5
valid = 0.25
test = 0.25
[batching]
batch_size = 8
buckets = 3
order = "interleaved"
"""

TRAINING = """\
[model]
name = "bead-network"
features = 24
[training]
num_epochs = 24
save_every_n_epochs = 1
keep_last = 24
learning_rate = 4e-3
use_lr_schedule = false
use_ema = false
"""
"""At a learning rate that does not fall every checkpoint is off by noise, which averages are to take away."""


def run(folder: Path, /) -> Report:
    """Everything that the plugin does, on data that it makes itself."""
    has_network = any(found.spec.name == NETWORK for found in registry().all("models"))
    _write_buckets(folder)
    model = TRAINING if has_network else f'[model]\nname = "{PRIOR}"\n'
    fitted, _ = fit(prepare(resolved(loads(EXPERIMENT + model), folder)), folder / "run")
    test = held_out(fitted)
    averages = _averaged(fitted, test) if has_network else (Section("Averages of checkpoints", (Text(_ONE),)),)
    errors, layouts = per_residue(fitted, test), certify(fitted, test)
    sections = (Section("Length buckets", _layouts(test)), *layouts.sections, *averages, *errors.sections)
    title = "Protein forces: buckets, averages, errors by residue"
    return Report(title, sections, f"{errors.summary} {layouts.summary}", errors.facts)


def _write_buckets(folder: Path) -> None:
    """The chains as files in kcal/mol, one each, and as buckets."""
    paths = []
    for number, length in enumerate(LENGTHS):
        made = chains(FRAMES, (length,), seed=number, noise=NOISE)
        names = ("R", "F", "F_mean", "Z", "resname")
        held = {name: made[name].reshape(FRAMES, length, *made[name].shape[1:]) for name in names}
        held |= {name: convert(held[name], "eV/angstrom", "kcal/mol/angstrom") for name in ("F", "F_mean")}
        paths.append(folder / f"chain{length}.npz")
        np.savez(paths[-1], **held, resid=np.arange(1, length + 1))  # type: ignore[arg-type]  # one stub for all keys
    combine_and_pad_npz_bucketed(paths, folder / "03_bucketed_npz", n_buckets=3, optimal=True)


def _averaged(fitted: Run, test: Dataset) -> tuple[Section, ...]:
    """The checkpoints and their averages; the soup becomes the checkpoint that predictions are made with."""
    report = compare(fitted, test)
    soup = averaged(Recipe(str(fitted.folder), validate=str(fitted.files.config), soup=True))
    write_tree(soup.tree, fitted.folder / "checkpoints" / "best.safetensors", soup.provenance(), soup.epoch)
    return report.sections


def _layouts(dataset: Dataset) -> tuple[Text, Table]:
    lengths = dataset.sizes["atom"]
    rows = costs(lengths, boundaries(lengths, count=3, optimal=True))
    columns = (
        (Column("layout", kind="text"), [row.layout for row in rows]),
        (Column("widths", kind="text"), [" ".join(map(str, row.widths)) for row in rows]),
        (Column("compilations", kind="integer"), [row.compilations for row in rows]),
        (Column("beads wasted", "%", precision=1), [100 * row.beads for row in rows]),
    )
    told = f"{len(dataset)} frames to test on, of {len(LENGTHS)} chains with {min(LENGTHS)} to {max(LENGTHS)} residues."
    return Text(told), Table.of(columns, title="What padding costs")


_ONE = (
    "The prior is fitted in one step, so there is nothing to average. With a network there is: "
    "`pip install 'atomloom-residues[demo]'`."
)
