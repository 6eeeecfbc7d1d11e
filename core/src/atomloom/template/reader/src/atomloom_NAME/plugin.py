"""What atomloom-NAME brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import Matches, ReaderSpec, hookimpl

api = 1


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """The reader of this package."""
    yield ReaderSpec(
        name="NAME",
        summary="Molecules as lines of atomic numbers and positions",
        load="atomloom_NAME.reading:read",
        example="atomloom_NAME.reading:example",
        matches=Matches(globs=("*.NAME",)),
        provides=("Z", "R", "E"),
    )
