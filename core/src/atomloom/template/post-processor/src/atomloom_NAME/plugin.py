"""What atomloom-NAME brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import PostSpec, hookimpl

api = 1


@hookimpl
def atomloom_postprocessors() -> Iterable[PostSpec]:
    """The mode that this package adds to `atomloom evaluate`."""
    yield PostSpec(
        name="NAME",
        summary="The frames that a model gets most wrong",
        load="atomloom_NAME.worst:worst",
        example="atomloom.testing.examples:ridge_run",
        needs=("E",),
    )
