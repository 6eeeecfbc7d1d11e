"""The post-processor `invariance`: a fitted model is held to what it claims, by the dims and units of its fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from atomloom import DataError, Field
from atomloom.cli.frame import atomloom
from atomloom.data.schema import declared
from atomloom.invariance import invariance
from atomloom.invariance.moving import is_place, random_rotation, turned
from atomloom.invariance.precision import gradient_tolerance, tolerance
from atomloom.pipeline import fit
from atomloom.registry import registry
from atomloom.testing.examples import charged_molecules, ridge_run
from atomloom.testing.fitting import job_for
from atomloom.writers import write

Install = Callable[..., None]
QUARTER = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""A quarter turn about z: x becomes y, and y becomes -x."""


@pytest.fixture
def judged(install: Install, tmp_path: Path) -> Callable[[str], Result]:
    """Fits a model of `loomwrong` and judges it as the command does."""
    install("plugin")

    def judge(name: str) -> Result:
        from loomwrong.models import Config

        write(charged_molecules(), tmp_path / "data.npz")
        job = job_for(registry().get("models", f"plugin:{name}"), Config(), charged_molecules(), tmp_path)
        fit(job, tmp_path / "runs" / "one", quiet=True)
        where = ("one", "--runs", str(tmp_path / "runs"), "--data", str(tmp_path / "data.npz"))
        return CliRunner().invoke(atomloom, ["evaluate", *where, "--mode", "invariance"], prog_name="atomloom")

    return judge


def test_a_model_that_keeps_its_promises(judged: Callable[[str], Result], tmp_path: Path) -> None:
    """All promises are measured with unit and tolerance, hold, and the exit code is 0; text and JSON are written."""
    done = judged("right")
    assert done.exit_code == 0, done.stderr
    assert "`right` keeps 9 of the 9 promises that it makes." in done.stdout
    folder = tmp_path / "runs" / "one" / "analysis" / "invariance"
    (table,) = [
        block
        for section in json.loads((folder / "report.json").read_text())["sections"]
        for block in section["blocks"]
        if block["type"] == "table"
    ]
    measured = {(row[0], row[1]): row[2:] for row in table["rows"]}
    assert measured["conservative", "F"][2] == "eV/angstrom"
    assert measured["charge", "mono"][2] == "e"
    for size, allowed, _, verdict in measured.values():
        assert 0.0 <= size <= allowed
        assert verdict == "holds"


def test_a_broken_promise_is_an_exit_code(judged: Callable[[str], Result]) -> None:
    """A model that breaks what it claims ends with exit code 1, and the message has the number."""
    done = judged("conservative")
    assert done.exit_code == 1
    assert "Cannot vouch for the run 'one' by 'invariance': conservative: F is off by " in done.stderr
    assert "it breaks: conservative." in done.stdout


def test_what_is_not_claimed_is_not_held_against_a_model(judged: Callable[[str], Result]) -> None:
    """A promise that was not made is measured where that is possible, and its verdict stands in brackets."""
    done = judged("predicts")
    assert done.exit_code == 0, done.stderr
    assert "(holds)" in done.stdout
    assert "keeps 1 of the 1 promises" in done.stdout
    assert "size-consistent" not in done.stdout


@pytest.mark.parametrize("frames", [0, 1])
def test_few_frames(tmp_path: Path, frames: int) -> None:
    """One frame is enough, since shaken copies of it stand beside it; none is bad input."""
    run, dataset = ridge_run(tmp_path)
    if frames:
        assert invariance(run, dataset[:frames]).failures == ()
    else:
        with pytest.raises(DataError, match="Cannot measure what ridge promises: the data has no frames"):
            invariance(run, dataset[:0])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("F", [[1.0, 2.0, 3.0]], [[-2.0, 1.0, 3.0]]),
        ("D", [[1.0, 2.0, 3.0]], [[-2.0, 1.0, 3.0]]),
        ("E", [5.0], [5.0]),
        ("cell", [[[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]], [[[0, 1, 0], [-2, 0, 0], [0, 0, 3]]]),
        ("quadrupole", [[[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]]], [[[2, 0, 0], [0, 1, 0], [0, 0, 3]]]),
        ("aniso_u", [[1.0, 2.0, 3.0, 0.0, 0.0, 0.0]], [[1.0, 2.0, 3.0, 0.0, 0.0, 0.0]]),
    ],
)
def test_fields_turn_by_their_dims(name: str, values: list[float], expected: list[float]) -> None:
    """Scalars stay, each axis of vectors and tensors turns, and the rows of a cell are vectors: as by hand."""
    np.testing.assert_allclose(turned(np.array(values), declared(name), QUARTER), expected, atol=1e-15)


def test_flags_of_directions_do_not_turn() -> None:
    """Which directions are periodic is no vector."""
    assert turned(np.array([[True, False, False]]), declared("pbc"), QUARTER).tolist() == [[True, False, False]]


@pytest.mark.parametrize(
    ("field", "place"),
    [
        (declared("R"), True),
        (declared("vdw_surface"), True),
        (Field(name="sites", dims=("frame", "atom", "site", "xyz"), unit="bohr"), True),
        (declared("F"), False),
        (declared("D"), False),
        (declared("cell"), False),
        (declared("atom_dipoles"), False),
        (Field(name="shift", dims=("frame", "pair", "xyz"), unit="angstrom"), False),
    ],
    ids=lambda value: value.name if isinstance(value, Field) else "",
)
def test_places_are_told_by_dims_and_unit(field: Field, place: bool) -> None:
    """A length of an atom, a site or a grid point is where that is; differences, cells and moments are no places."""
    assert is_place(field) is place


@pytest.mark.parametrize("improper", [False, True])
def test_rotations_are_orthogonal(improper: bool) -> None:
    """Rotations keep lengths and their determinant is 1, or -1 with a reflection."""
    random = np.random.default_rng(1)
    for _ in range(20):
        matrix = random_rotation(random, improper=improper)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)
        assert np.linalg.det(matrix) == pytest.approx(-1.0 if improper else 1.0)


def test_tolerances_follow_size_and_precision() -> None:
    """A tolerance is a part of the largest number, at least of one unit, and wider in float32."""
    assert tolerance(np.array([2000.0, -1.0]), "float64") == pytest.approx(2e-6)
    assert tolerance(np.array([1e-3]), "float64") == pytest.approx(1e-9)
    assert tolerance(np.array([1.0]), "float32") == pytest.approx(2e-5)
    wide = gradient_tolerance(np.array([2000.0]), np.array([3.0]), "float32")
    assert wide == pytest.approx(3e-2 + 4 * 2.0**-23 * 2000 / 1e-2)
