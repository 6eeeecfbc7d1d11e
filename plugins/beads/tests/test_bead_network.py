"""The network begins as its prior, is one function in every layout of batches, and tells beads apart by their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atomloom.batching import Near
from atomloom.data import Dataset, Packed
from atomloom.errors import DataError
from atomloom.experiment import Batching
from atomloom.model import FitData
from atomloom.pipeline import Fitted
from atomloom.pipeline.job import load_model, schema_of
from atomloom.registry import registry, resolve
from atomloom_beads import BeadNetwork, Config
from atomloom_beads.kinds import ELEMENTS, RESIDUES, called, with_kinds
from atomloom_residues.chain_prior import forces_by
from atomloom_residues.chains import chains
from atomloom_residues.layouts import TOLERANCE, apart, outcome, plans

NARROW = Config(features=4, layers=1, functions=4, cutoff=9.0)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Chains of three lengths."""
    return chains(frames=3, lengths=(5, 8, 13), seed=4)


def fit_data(whole: Dataset) -> FitData:
    """To fit to all of it."""
    return FitData(whole, whole[:0], Batching(batch_size=4), seed=0)


@pytest.fixture(scope="module")
def prepared(dataset: Dataset) -> Fitted:
    """The network before its training, with springs fitted."""
    _, spec, model = load_model("bead-network")
    assert isinstance(model, BeadNetwork)
    whole = model.complete(dataset, NARROW)
    state = model.init(schema_of(whole), NARROW, seed=0)
    state = model.prepare(state, fit_data(whole))
    backend = resolve(registry().get("backends", "jax").spec.load)
    return Fitted(model, spec, state, schema_of(whole), 0, backend, NARROW)


def near(fitted: Fitted, dataset: Dataset) -> Near:
    """The pairs that it looks at."""
    return Near(fitted.complete(dataset), fitted.model.reach(fitted.state))


def test_it_begins_as_its_prior(prepared: Fitted, dataset: Dataset) -> None:
    """Before the training forces are those of the springs, which numpy works out in float64 by another way."""
    around = near(prepared, dataset)
    found = outcome(prepared, around, plans(around)["padded"])
    expected = forces_by(prepared.state["prior"], dataset)
    assert np.abs(expected).max() > 0.5
    assert found.forces == pytest.approx(expected, abs=1e-5)
    left = np.square(expected - dataset["F"]).mean()
    assert float(prepared.state["scale"]) == pytest.approx(np.sqrt(left), rel=1e-6)


def test_one_function_in_every_layout(prepared: Fitted, dataset: Dataset) -> None:
    """The same parameters give the same forces, loss and gradient padded, in buckets and packed, to 1e-5."""
    random = np.random.default_rng(0)
    leaves = prepared.model.leaves(prepared.state)
    stirred = {
        name: leaf + random.normal(scale=0.3, size=leaf.shape).astype(leaf.dtype) if "parameters" in name else leaf
        for name, leaf in leaves.items()
    } | {"scale": np.full((), 10.0)}
    fitted = replace(prepared, state=prepared.model.with_leaves(prepared.state, stirred))
    around = near(fitted, dataset)
    found = {name: outcome(fitted, around, plan) for name, plan in plans(around).items()}
    assert np.abs(found["padded"].forces - forces_by(prepared.state["prior"], dataset)).max() > 0.05
    assert [each.shapes for each in found.values()] == [1, 3, 1]
    for other in ("bucketed", "packed"):
        difference = apart(found["padded"], found[other])
        assert difference.slopes is not None
        assert max(difference.forces, difference.loss, difference.slopes) < TOLERANCE


def test_beads_that_were_never_seen(prepared: Fitted, dataset: Dataset) -> None:
    """Nothing is predicted for them: the error names the first kind."""
    names = Packed(np.full(len(dataset["R"]), "PRO"), dataset.sizes["atom"])
    around = near(prepared, dataset.with_columns({"resname": names}, {"resname": dataset.fields["resname"]}))
    with pytest.raises(DataError, match="it was trained on none that is C of PRO"):
        outcome(prepared, around, plans(around)["padded"])


def test_kinds_do_not_depend_on_the_data() -> None:
    """A name gives the same number whatever else is there; species count by their names; elements stay apart."""
    R = np.zeros((1, 2, 3))
    by_name = with_kinds(Dataset.from_arrays({"R": R, "resname": np.array([["VAL", "ALA"]])}))
    species = Dataset.from_arrays({"R": R, "species": np.array([[0, 7]])}).with_meta(aa_to_id={"VAL": 0, "ALA": 7})
    expected = [ELEMENTS * (1 + RESIDUES.index(name)) for name in ("VAL", "ALA")]
    assert by_name["bead_kind"].tolist() == with_kinds(species)["bead_kind"].tolist() == expected
    assert called(expected[0] + 6) == "C of VAL"
    assert with_kinds(Dataset.from_arrays({"R": R, "Z": np.array([[6, 7]])}))["bead_kind"].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resname": np.array([["ALA", "UNK"]])}, "there is UNK"),
        ({"species": np.array([[0, 1]])}, "Bring Z, resname, or species with aa_to_id"),
    ],
)
def test_beads_that_nobody_names(fields: dict[str, np.ndarray], message: str) -> None:
    """An error, in place of a number that means something else elsewhere."""
    with pytest.raises(DataError, match=message):
        with_kinds(Dataset.from_arrays({"R": np.zeros((1, 2, 3)), **fields}))
