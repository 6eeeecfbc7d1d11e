"""Which reflections are kept out of refinement: flags of any convention read, or made."""

from __future__ import annotations

import numpy as np

from atomloom.data.columns import Array

SEED = 1
SHARE = 0.05
LEAST = 500
"""Flags that are made free this share of the reflections, and more where that would be fewer than this."""

_HALF = 0.5
_MOST = 0.1


def read_flags(values: Array) -> tuple[Array | None, str]:
    """A mask of the free reflections, and how that was decided; None where the values tell no set apart.

    Two values: the rarer one is free. More of them, as CCP4 writes them: 0 is.

    >>> read_flags(np.array([0, 1, 1, 1]))[1]
    'Free reflections are those with flag 0 (1 of 4), the rarer of two values.'
    """
    known = np.isfinite(values)
    kinds, counts = np.unique(values[known], return_counts=True)
    if len(kinds) < 2:
        return None, ""
    if len(kinds) == 2:
        chosen, why = kinds[np.argmin(counts)], "the rarer of two values"
    else:
        chosen, why = kinds[np.argmin(np.abs(kinds))], f"of {len(kinds)} values, as CCP4 numbers its sets"
    free = known & (values == chosen)
    if free.mean() > _HALF:
        return None, ""
    return free, f"Free reflections are those with flag {chosen:g} ({int(free.sum())} of {len(values)}), {why}."


def make_flags(count: int, seed: int = SEED) -> tuple[Array, str]:
    """A random mask of free reflections, and a sentence that says so."""
    share = min(_MOST, max(SHARE, LEAST / max(count, 1)))
    free = np.random.default_rng(seed).random(count) < share
    return free, f"There were no free flags: {int(free.sum())} of {count} reflections were drawn with seed {seed}."
