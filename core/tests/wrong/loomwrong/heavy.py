"""A plugin that makes every command wait."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import atomloom

api = 1


@atomloom.hookimpl
def atomloom_fields() -> Iterable[atomloom.Field]:
    """As many as there are dimensions."""
    return [
        atomloom.Field(name=f"loomwrong{axis}", dims=("frame",), summary="A field")
        for axis in range(np.zeros((1, 1)).ndim)
    ]
