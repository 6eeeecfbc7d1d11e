"""What is declared wrongly."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import atomloom

api = 1
calls = itertools.count()


@atomloom.hookimpl
def atomloom_fields() -> Iterable[atomloom.Field]:
    """A unit that nobody knows."""
    yield atomloom.Field(name="weight", summary="Weight", dims=("frame",), unit="stones")


@atomloom.hookimpl
def atomloom_readers() -> Iterable[atomloom.ReaderSpec]:
    """No example, no summary, no such function, waivers that waive nothing."""
    yield atomloom.ReaderSpec(name="example", summary="No example", load="loomwrong.code:read")
    load, example = "loomwrong.code:read", "loomwrong.code:file"
    yield atomloom.ReaderSpec(name="summary", load=load, example=example)
    yield atomloom.ReaderSpec(name="load", summary="Nowhere", load="loomwrong.code:nowhere", example=example)
    yield atomloom.ReaderSpec(name="silent", summary="x", load=load, example=example, waivers={"slices": " "})
    yield atomloom.ReaderSpec(name="odd", summary="x", load=load, example=example, waivers={"slcies": "A typo"})


@atomloom.hookimpl
def atomloom_losses() -> Iterable[atomloom.LossSpec]:
    """Another one each time."""
    load, example = "loomwrong.code:squared", "loomwrong.code:energies"
    yield atomloom.LossSpec(name=f"loss{next(calls)}", summary="A loss", load=load, example=example, needs=("E",))
