"""A plugin whose checks end the interpreter, or do not end at all."""

from __future__ import annotations

from collections.abc import Iterable

import atomloom

api = 1


@atomloom.hookimpl
def atomloom_harmonizers() -> Iterable[atomloom.HarmonizerSpec]:
    """Those that do so, and a last one that does not."""
    for name in ("killing", "crashing", "harmless"):
        yield atomloom.HarmonizerSpec(
            name=name,
            summary="A rule",
            load=f"loomwrong.code:{name}",
            example="loomwrong.code:energies",
            waivers={} if name == "harmless" else {"gives": "It would be the same crash"},
        )
