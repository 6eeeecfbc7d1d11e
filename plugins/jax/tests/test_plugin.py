"""What the plugin declares: names that are found, nothing heavy imported, options that the command line offers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from atomloom.cli.frame import atomloom as main
from atomloom.experiment import describe
from atomloom.registry import registry, resolve
from atomloom_jax.options import Training

HEAVY = ("jax", "flax", "optax", "numpy", "msgspec", "tensorboardX")


@pytest.mark.parametrize("kind", ["backends", "models"])
def test_everything_loads(kind: str) -> None:
    """Each contribution has a summary, code and a struct of options behind it."""
    ours = [found.spec for found in registry().all(kind) if found.distribution == "atomloom-jax"]
    assert ours
    for spec in ours:
        assert spec.summary
        assert resolve(spec.load)
        assert describe(resolve(spec.training if kind == "backends" else spec.config))


def test_declaring_imports_nothing_heavy() -> None:
    """Listing plugins imports neither JAX nor numpy."""
    code = f"import atomloom_jax.plugin, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_are_listed_without_jax() -> None:
    """The help of a model costs no import of JAX."""
    code = "import sys, atomloom_jax.options; print([m for m in ('jax', 'optax') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_is_a_flag_with_help() -> None:
    """`atomloom train MODEL --help` names each option and says what it does."""
    shown = CliRunner().invoke(main, ["train", "pair-potential", "--help"]).output
    options = describe(Training)
    assert {option.name for option in options} == set(Training.__struct_fields__)
    assert [option.name for option in options if not option.help or option.flag not in shown] == []
