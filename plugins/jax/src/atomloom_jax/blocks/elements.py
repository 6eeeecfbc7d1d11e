"""What a model knows of an atom by its element."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from numpy.typing import ArrayLike

from atomloom.elements import symbol
from atomloom.errors import DataError

_NAMED = 5


def check_elements(atomic_numbers: ArrayLike, largest: int, known: frozenset[int] | None = None) -> None:
    """Stops at atoms that a table up to the atomic number `largest` has no row for, on the host; zeros are padding.

    Args:
        known: the elements that a model was trained on, where others should be refused as well.

    >>> check_elements([8, 1, 1, 0], largest=36)
    >>> check_elements([8, 53], largest=36)
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot use these atoms with the model: it knows elements up to Kr, and there are I (53).\
 Train a model that covers them, or leave these frames out.
    """
    numbers = np.unique(np.asarray(atomic_numbers))
    numbers = numbers[numbers != 0]
    inside = (numbers > 0) & (numbers <= largest)
    knows = f"it knows elements up to {symbol(largest)}"
    if known is not None:
        inside &= np.isin(numbers, list(known))
        knows = f"it was trained on {', '.join(symbol(number) for number in sorted(known))}"
    if not inside.all():
        others = [f"{symbol(number)} ({number})" for number in numbers[~inside].tolist()]
        listed = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
        todo = "Train a model that covers them, or leave these frames out"
        raise DataError("use these atoms with the model", f"{knows}, and there are {listed}", todo)


class ElementTable(nn.Module):
    """A learnable row for each element, ``[atoms, features]`` from atomic numbers ``[atoms]``; zero for padding.

    An atomic number beyond the table gives NaN, never the row of another element: `check_elements` tells beforehand.

    Attributes:
        features: of each row.
        largest: the last atomic number that has one.
        zero: begin with zeros in place of random numbers of variance one, for offsets of each element.

    >>> ElementTable(2).init_with_output(jax.random.key(0), jnp.array([8, 0]))[0][1].tolist()
    [0.0, 0.0]
    """

    features: int
    largest: int = 94
    zero: bool = False

    @nn.compact
    def __call__(self, atomic_numbers: jax.Array) -> jax.Array:
        """Of atomic numbers ``[atoms]``."""
        start = nn.initializers.zeros if self.zero else nn.initializers.normal(1.0)
        rows = self.param("rows", start, (self.largest, self.features), jnp.result_type(float))
        return jnp.where((atomic_numbers == 0)[:, None], 0.0, row(rows, atomic_numbers - 1))


def row(table: jax.Array, index: jax.Array) -> jax.Array:
    """The rows ``[..., features]`` of a table ``[rows, features]``, and NaN where it has none.

    Plain indexing of JAX gives the nearest row for an index that is too large, and counts negative ones from the end.

    >>> row(jnp.array([[1.0], [2.0]]), jnp.array([1, 2, -1])).tolist()
    [[2.0], [nan], [nan]]
    """
    beyond = jnp.where(index < 0, table.shape[0], index)
    return table.at[beyond].get(mode="fill", fill_value=jnp.nan)
