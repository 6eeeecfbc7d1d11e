"""float32 or float64, and how exact matrix products are: a scope, so that nothing else in the process changes.

JAX keeps both settings per thread; whoever computes or places arrays in a thread of its own opens the scope there too.

>>> with precise("float64"):
...     print(jax.numpy.ones(2).dtype)
float64
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np


@contextmanager
def precise(precision: str, matmul: str = "highest") -> Iterator[None]:
    """Compute in ``"float32"`` or ``"float64"`` within the ``with`` block.

    Args:
        matmul: precision of matrix products in float32: ``"highest"`` is float32 throughout; ``"default"`` is the
            fastest of the hardware, which on recent GPUs keeps ten bits of the factors (TF32).
    """
    with jax.enable_x64(precision == "float64"), jax.default_matmul_precision(matmul):
        yield


def precision_of(leaves: Iterable[Any]) -> str:
    """``"float64"`` if any of these arrays is, else ``"float32"``."""
    return "float64" if any(np.result_type(leaf) == np.float64 for leaf in leaves) else "float32"


def cast(values: np.ndarray, precision: str) -> np.ndarray:
    """Floating and whole numbers in the width that JAX computes in; the rest as it is."""
    wide = precision == "float64"
    if values.dtype.kind == "f":
        return values.astype(np.float64 if wide else np.float32, copy=False)
    if values.dtype.kind in "iu":
        return values.astype(np.int32, copy=False)
    return values
