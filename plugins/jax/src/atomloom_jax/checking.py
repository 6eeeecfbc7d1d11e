"""What is refused before a run is made and before anything is compiled."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from atomloom.errors import ConfigError
from atomloom.model import FitData
from atomloom.runs import Run
from atomloom_jax.devices import mesh
from atomloom_jax.options import Training
from atomloom_jax.sharing import share


def check(data: FitData, training: Training) -> None:
    """Stops at a batch larger than the data, and at devices, packages or a run to start from that are not there.

    Raises:
        ConfigError: saying which.
        RunError: when the run to start from is missing.
    """
    _check_batch(data, training)
    share(data, training.gradient_accumulation_steps, mesh(training.device, training.num_devices).size)
    _check_package(training.tensorboard, "tensorboardX", "tensorboard", "write files for TensorBoard")
    _check_package(training.lovely, "lovely_jax", "lovely", "tell arrays by lovely-jax")
    if training.init_from is not None and Run.open(Path(training.init_from)).latest() is None:
        found = "it has no checkpoint yet"
        raise ConfigError(f"start from the run '{training.init_from}'", found, "Fit that run first, or name another")


def _check_package(wanted: bool, module: str, option: str, asked: str) -> None:
    """Stops where an option needs a package of the extra of its name that is not there."""
    if wanted and find_spec(module) is None:
        todo = f'Install it with `pip install "atomloom-jax[{option}]"`, or leave `{option}` out'
        raise ConfigError(asked, f"{module} is not installed", todo)


def _check_batch(data: FitData, training: Training) -> None:
    frames, size = len(data.train), data.batching.batch_size
    steps = training.gradient_accumulation_steps
    if size is not None and size > frames:
        found = f"there are {frames} frames to train on"
        raise ConfigError(f"train with batches of {size} frames", found, f"Set batch_size to {frames} or less")
    if size is not None and size * steps > frames:
        found = f"{steps} batches of {size} frames make an update, and there are {frames} frames to train on"
        todo = f"Set gradient_accumulation_steps to {frames // size} or less"
        raise ConfigError(f"accumulate gradients over {steps} batches", found, todo)
