"""A network for chains of beads, small enough to try everything of atomloom-residues on: a prior, and messages.

::

    kinds      what each bead is: an amino acid, or an element
    network    messages between beads, which know how far along the chain they come from
    model      what atomloom trains: springs fitted beforehand, the network for what they leave
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomloom_beads.model import BeadNetwork, Config

__all__ = ["BeadNetwork", "Config"]

if not TYPE_CHECKING:  # or a type checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'atomloom_beads' has no attribute {name!r}")
        from atomloom_beads import model

        return getattr(model, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
