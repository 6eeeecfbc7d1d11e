"""What atomloom-NAME brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import LossSpec, hookimpl

api = 1


@hookimpl
def atomloom_losses() -> Iterable[LossSpec]:
    """The loss of this package, for the backends whose functions it is written in."""
    yield LossSpec(
        name="NAME",
        summary="Squares of small force errors, and hardly more than the lengths of large ones",
        load="atomloom_NAME.losses:robust_forces",
        example="atomloom.testing.examples:molecules",
        needs=("F",),
        backends=("numpy", "jax", "torch"),
    )
