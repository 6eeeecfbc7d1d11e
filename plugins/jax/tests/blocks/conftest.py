"""What the tests of the blocks share: float64, and padded batches of random molecules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import Shape, pad, within

Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    """Formulas are compared in double precision."""
    with jax.enable_x64(True):
        yield


def _frames(lengths: Sequence[int], seed: int = 0) -> list[Arrays]:
    """Molecules of so many atoms, none nearer than 0.8 angstrom to another, the first one at the origin."""
    rng = np.random.default_rng(seed)
    return [{"Z": rng.choice([1, 6, 8], size=length), "R": _apart(rng, length)} for length in lengths]


def _apart(rng: np.random.Generator, length: int) -> np.ndarray:
    places = np.zeros((1, 3))
    while len(places) < length:
        new = rng.uniform(-2.0, 2.0, size=3)
        if np.linalg.norm(places - new, axis=1).min() > 0.8:
            places = np.vstack([places, new])
    return places


def _padded(
    frames: list[Arrays], cutoff: float = 3.0, spare: tuple[int, int, int] = (0, 0, 0), shape: Shape | None = None
) -> Arrays:
    """These frames with their pairs, and spare slots for frames, atoms and pairs, or in a shape."""
    dataset = Dataset.from_frames(frames)
    batch = dataset.take(np.arange(len(dataset)))
    pairs = within(batch, cutoff)
    sizes = len(frames) + spare[0], len(batch["Z"]) + spare[1], len(pairs.source) + spare[2]
    return dict(pad(batch, shape or Shape(*sizes), pairs))


def _drawn(module: Any, *arguments: Any) -> Any:
    """Parameters at random, also where a module begins with zeros; its own `init` would take long to compile."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *arguments)
    rng = np.random.default_rng(1)

    def draw(leaf: Any) -> jax.Array:
        return jnp.asarray(rng.normal(size=leaf.shape) / np.sqrt(leaf.shape[0]), leaf.dtype)

    return jax.tree.map(draw, shapes)


@pytest.fixture(scope="session")
def drawn() -> Callable[..., Any]:
    """Makes parameters of a module from its arguments."""
    return _drawn


@pytest.fixture(scope="session")
def frames() -> Callable[..., list[Arrays]]:
    """Makes random molecules from their numbers of atoms."""
    return _frames


@pytest.fixture(scope="session")
def padded() -> Callable[..., Arrays]:
    """Makes a padded batch from frames."""
    return _padded
