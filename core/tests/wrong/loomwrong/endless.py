"""A plugin one of whose checks does not end."""

from __future__ import annotations

from collections.abc import Iterable

import atomloom

api = 1


@atomloom.hookimpl
def atomloom_harmonizers() -> Iterable[atomloom.HarmonizerSpec]:
    """That one, and one that is harmless."""
    for name in ("endless", "harmless"):
        load, example = f"loomwrong.code:{name}", "loomwrong.code:energies"
        waivers = {"gives": "It would wait as well"}
        yield atomloom.HarmonizerSpec(name=name, summary="A rule", load=load, example=example, waivers=waivers)
