"""What the package registers, and the flags of its own training command."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from atomloom.registry import registry, resolve
from atomloom_dcmnet import train_runner
from atomloom_dcmnet.cli import dcmnet


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("models", "dcmnet"),
        ("losses", "potential"),
        ("losses", "traceless_quadrupole"),
        ("losses", "site_charges"),
        ("postprocessors", "dcmnet-analysis"),
        ("demos", "dcmnet"),
        ("commands", "dcmnet"),
    ],
)
def test_everything_that_is_registered_loads(kind, name):
    """By its short name, which nothing else has."""
    found = registry().get(kind, name)
    assert found.plugin == "dcmnet"
    assert callable(resolve(found.spec.load))


def test_registering_imports_nothing_heavy():
    """Neither arrays nor JAX, so that every command starts fast."""
    code = "import sys, atomloom_dcmnet.plugin; print(*{'numpy', 'jax', 'flax', 'scipy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_flags_of_the_runner_reach_network_training_and_losses():
    """By the names that the options have in Python."""
    flags = ["--data", "a.npz", "--name", "first", "--num-epochs", "7", "--gradient-accumulation-steps", "4"]
    more = ["--no-use-lr-schedule", "--n-dcm", "5", "--conditioning", "attention", "--chg-w", "0.25"]
    with train_runner.command().make_context("train_runner", [*flags, *more]) as context:
        given = {key: value for key, value in context.params.items() if value is not None and key != "root"}
    config = train_runner._config(given.pop("data"), given)
    assert (config.name, config.chg_w, config.data) == ("first", 0.25, ("a.npz",))
    assert (config.training.num_epochs, config.training.gradient_accumulation_steps) == (7, 4)
    assert (config.training.use_lr_schedule, config.training.batch_size) == (False, 8)
    assert (config.model.n_dcm, config.model.conditioning) == (5, "attention")


def test_a_fit_prints_charges_and_errors_for_people(tmp_path):
    """With units, and with how many points judge it."""
    from atomloom.writers import write
    from atomloom_dcmnet.example import surfaces

    write(surfaces(density=0.1)[:1].without("dcm_charges"), tmp_path / "one.npz")
    call = ["fit", str(tmp_path / "one.npz"), "--sites-per-atom", "1", "--starts", "1"]
    printed = CliRunner().invoke(dcmnet, call, catch_exceptions=False)
    assert printed.exit_code == 0
    assert "charge (e)" in printed.output
    assert "points that the fit has not seen" in printed.output
