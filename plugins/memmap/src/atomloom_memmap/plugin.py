"""What atomloom-memmap brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import Field, Matches, ReaderSpec, WriterSpec, hookimpl

api = 1

_STORE = Matches(globs=("*.packed",))


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """Pairs of atoms, which a store keeps when they are asked for."""
    pair = ("frame", "pair")
    yield Field(
        name="pair_dst",
        dims=pair,
        dtype="int",
        summary="First atom of each pair, counted within its frame.",
        doc="The atom that each ordered pair points to, counted within its frame; ascending.",
    )
    yield Field(
        name="pair_src",
        dims=pair,
        dtype="int",
        summary="Second atom of each pair, counted within its frame.",
        doc="The atom that each ordered pair comes from, counted within its frame.",
    )
    yield Field(
        name="pair_shift",
        dims=(*pair, "xyz"),
        unit="angstrom",
        summary="What is added to R[pair_src] - R[pair_dst] in periodic frames.",
        doc="The sum of cell vectors that is added to R[pair_src] - R[pair_dst] in periodic frames.",
    )


@hookimpl
def atomloom_readers() -> Iterable[ReaderSpec]:
    """The readers of this package."""
    yield ReaderSpec(
        name="memmap",
        summary="Packed memory-mapped store, checked as it is read",
        load="atomloom_memmap.reading:read",
        example="atomloom_memmap.reading:example",
        matches=_STORE,
    )


@hookimpl
def atomloom_writers() -> Iterable[WriterSpec]:
    """The writer of stores."""
    yield WriterSpec(
        name="memmap",
        summary="Packed memory-mapped store, streamed, resumable, always the same bytes",
        load="atomloom_memmap.writing:write",
        matches=_STORE,
    )
