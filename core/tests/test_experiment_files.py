"""Experiments are written, read back, completed and changed without loss."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atomloom.errors import ConfigError
from atomloom.experiment import (
    Batching,
    Data,
    Experiment,
    InFile,
    Source,
    Split,
    dumps,
    load,
    loads,
    override,
    resolved,
)

DESIGN = """\
[[data.source]]
path = "dimers.npz"
reader = "npz"
[data.split]
train = 0.8
valid = 0.1
test = 0.1
seed = 7
[batching]
batch_size = 32
[model]
name = "physnet"
features = 64
charge_range = [-2, 2]
[losses]
energy = 1.0
forces = 52.9
[training]
num_epochs = 100
gradient_accumulation_steps = 4
"""

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
filled = words.filter(bool)
scalars = (
    st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
    | st.dates()
    | st.datetimes()
    | st.times()
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))
tables = st.dictionaries(words, values, max_size=4)
labels = st.dictionaries(words, words, max_size=2)
sources = st.builds(
    Source,
    path=filled | st.lists(filled, min_size=1, max_size=3),
    reader=filled,
    options=tables,
    read_as=labels,
    units=labels,
)
random_splits = st.builds(
    Split, train=st.floats(0.1, 0.5), valid=st.none() | st.floats(0, 0.5), seed=st.integers(0, 2**63 - 1)
)
file_splits = st.builds(Split, train=filled, test=st.none() | filled)
splits = random_splits | file_splits | st.builds(Split, field=filled) | st.builds(Split, group=filled)
sizes = st.none() | st.integers(1, 2**40)
in_blocks = st.builds(Batching, order=st.just("blocks"), block=sizes)
batchings = st.builds(Batching, batch_size=sizes) | st.builds(Batching, atoms=sizes) | in_blocks
experiments = st.builds(
    Experiment,
    title=words,
    notes=words,
    data=st.builds(Data, source=st.lists(sources, min_size=1, max_size=3), split=splits),
    batching=batchings,
    model=st.builds(lambda table, name: {**table, "name": name}, tables, filled),
    losses=st.dictionaries(words, st.floats(0.1, 1e300), max_size=3),
    training=tables,
)


@relaxed
@given(experiments)
def test_what_is_written_is_read_back(experiment: Experiment) -> None:
    """`loads` undoes `dumps`, whatever texts, dates, nested tables and arrays plugins keep in their tables."""
    assert loads(dumps(experiment)) == experiment


@relaxed
@given(experiments)
def test_resolving_twice_changes_nothing(experiment: Experiment) -> None:
    """`resolved` is idempotent, and what it gives can be written and read."""
    once = resolved(experiment, "/data")
    assert resolved(once, "/elsewhere") == once
    assert loads(dumps(once)) == once


def test_the_documented_example_is_written_as_it_is_documented() -> None:
    """A resolved experiment looks like one that a person wrote."""
    expected = DESIGN.replace("[data.split]", "\n[data.split]").replace("[batching]", "\n[batching]")
    for table in ("model", "losses", "training"):
        expected = expected.replace(f"[{table}]", f"\n[{table}]")
    assert dumps(loads(DESIGN)) == expected.replace("batch_size = 32", 'batch_size = 32\norder = "shuffled"')


def test_nothing_is_left_to_chance_once_resolved(tmp_path: Path) -> None:
    """Paths become absolute and the defaults of split and batches are written out; addresses stay."""
    text = 'data.source = [{path = ["a.npz", "/b.npz", "https://c/d.npz", "~0"], reader = "npz"}]\nmodel.name = "ridge"'
    experiment = resolved(loads(text), tmp_path)
    assert experiment.data.source[0].paths == (
        str(tmp_path / "a.npz"),
        "/b.npz",
        "https://c/d.npz",
        str(tmp_path / "~0"),
    )
    assert experiment.data.split == Split(train=0.8, valid=0.1, test=0.1)
    assert experiment.batching == Batching(batch_size=32)
    in_blocks = resolved(
        loads('data.source = [{path = "a", reader = "npz"}]\nmodel.name = "ridge"\nbatching.order = "blocks"'), tmp_path
    )
    assert in_blocks.batching == Batching(batch_size=32, order="blocks", block=4096)


def test_index_files_and_the_home_folder_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index files are relative to the TOML file as sources are, and ~ is the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    split = Split(train="train.npy", test="~/test.npy")
    experiment = loads(DESIGN)
    data = Data(source=experiment.data.source, split=split)
    moved = resolved(Experiment(data=data, model=experiment.model), "/data")
    assert moved.data.split == Split(train="/data/train.npy", test=f"{tmp_path}/test.npy")


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ({"cutoff": None}, "TOML cannot hold `model.cutoff`, a value of type NoneType"),
        ({"layers": [1, {2}]}, "TOML cannot hold `model.layers[1]`, a value of type set"),
        ({"path": "\udcff"}, "is not UTF-8"),
    ],
)
def test_what_toml_cannot_hold_is_not_written(model: dict[str, Any], found: str) -> None:
    """Values without a TOML spelling are named instead of being left out."""
    experiment = Experiment(data=Data(source=[Source(path="a", reader="npz")]), model={"name": "ridge", **model})
    with pytest.raises(ConfigError) as caught:
        dumps(experiment)
    assert found in str(caught.value)


SET = {
    "training.num_epochs=5": ("training", {"num_epochs": 5, "gradient_accumulation_steps": 4}),
    "training.lr=1e-3": ("training", {"num_epochs": 100, "gradient_accumulation_steps": 4, "lr": 0.001}),
    "model.name=ridge": ("model", {"name": "ridge", "features": 64, "charge_range": [-2, 2]}),
    "model.charge_range=[-1, 1]": ("model", {"name": "physnet", "features": 64, "charge_range": [-1, 1]}),
    "losses={ energy = 2 }": ("losses", {"energy": 2.0}),
    "title=2026": ("title", "2026"),
    "title=a = b": ("title", "a = b"),
    "batching.order=file": ("batching", Batching(batch_size=32, order="file")),
    "batching.batch_size=none": ("batching", Batching()),
}


@pytest.mark.parametrize("assignment", SET)
def test_single_keys_are_replaced(assignment: str) -> None:
    """Each value is read as the type of its key, and all other keys stay."""
    name, value = SET[assignment]
    changed = override(loads(DESIGN), [assignment])
    assert getattr(changed, name) == value
    assert dumps(override(changed, [])) == dumps(changed)


def test_keys_in_arrays_and_several_at_once_are_replaced() -> None:
    """Positions count from zero; assignments that are right only together are."""
    changed = override(loads(DESIGN), ["data.source[0].path=a.npz,b", "batching.batch_size=none", "batching.atoms=64"])
    assert changed.data.source[0].paths == ("a.npz,b",)
    assert changed.batching == Batching(atoms=64)


WRONG_SET = {
    "batching.batch_size=-5": "use the experiment: --set `batching.batch_size` is -5. It has to be a whole number of "
    "at least 1.",
    "batching.batch_size=many": 'use the experiment: --set `batching.batch_size` is "many". It has to be a whole '
    "number of at least 1.",
    "batching.atoms=64": "use the experiment: --set `batching.atoms` and `batch_size` exclude each other. Keep one of "
    "them.",
    "trainig.lr=1": "use the experiment: --set `trainig` is not a known key. The nearest known key is `training`.",
    "data.split.train=0.9": "use the experiment: exp.toml:4: `data.split` has fractions of 0.9 + 0.1 + 0.1 = 1.1. They "
    "may add up to 1 at most.",
    "losses.energy=nan": "use the experiment: --set `losses.energy` is nan. It has to be a finite number.",
    "training.lr": "set 'training.lr': it has no equals sign. Write --set KEY=VALUE, such as --set "
    "training.num_epochs=5.",
    "=5": "set '=5': '' is no key. Write --set KEY=VALUE, such as --set training.num_epochs=5.",
    "a..b=5": "set 'a..b=5': 'a..b' is no key. Write --set KEY=VALUE, such as --set training.num_epochs=5.",
    "data.source[1].path=x": "set `data.source[1]`: `data.source` has 1 item. They are counted from 0.",
    "data.source.path=x": "set `data.source.path`: `data.source` is an array. Its first item has "
    "`data.source[0].path`.",
    "model[0]=x": "set `model[0]`: `model` is no array. Name a key below it, or `model` itself.",
    "model.name.x=1": "set `model.name.x`: `model.name` is a single value. Set `model.name` itself.",
}


@pytest.mark.parametrize("assignment", WRONG_SET)
def test_wrong_replacements_are_told(assignment: str) -> None:
    """An error names the --set that made it, or the line where the rest of it stands."""
    with pytest.raises(ConfigError) as caught:
        override(loads(DESIGN), [assignment], InFile("exp.toml", text=DESIGN))
    assert str(caught.value) == f"Cannot {WRONG_SET[assignment]}"


def test_load_reads_files(tmp_path: Path) -> None:
    """`load` gives what `loads` gives for the text in the file."""
    (tmp_path / "exp.toml").write_text(DESIGN, encoding="utf-8")
    assert load(tmp_path / "exp.toml") == loads(DESIGN)


def test_dates_stay_dates() -> None:
    """Plugins may keep dates in their tables."""
    experiment = loads(DESIGN + "since = 2026-11-21\n")
    assert loads(dumps(experiment)).training["since"] == datetime.date(2026, 11, 21)
