"""What atomloom-memmap brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import CommandSpec, DemoSpec, Matches, ReaderSpec, WriterSpec, hookimpl

api = 1

_OPENQDC = """@article{gabellini2024openqdc, author = {Gabellini, Cristian and others},
title = {{OpenQDC}: Open Quantum Data Commons}, journal = {arXiv:2411.19629}, year = {2024}}"""

_TORCHMD_NET = """@article{pelaez2024torchmdnet, author = {Pelaez, Raul P. and others},
title = {{TorchMD-Net} 2.0: Fast Neural Network Potentials for Molecular Simulations},
journal = {arXiv:2402.17660}, year = {2024}}"""

_TORCHMD_NET_FILES = ("*.idx.mmap", "*.z.mmap", "*.pos.mmap")

_STORE = Matches(globs=("*.packed",), magic=(b'{"atomloom-memmap": ',), holds=("manifest.json",))


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
    yield ReaderSpec(
        name="first-design",
        summary="Folder of the first packed loader: Z_pack.int32, R_pack.f32, E.f64, ...",
        load="atomloom_memmap.layouts.first_design:read",
        example="atomloom_memmap.layouts.first_design:example",
        matches=Matches(holds=("n_atoms.npy", "offsets.npy", "Z_pack.int32")),
        provides=("Z", "R", "F", "E", "total_charge"),
    )
    yield ReaderSpec(
        name="openqdc",
        summary="Data set of openQDC as its memory-mapped files hold it, in its documented units",
        load="atomloom_memmap.layouts.openqdc:read",
        example="atomloom_memmap.layouts.openqdc:example",
        matches=Matches(holds=("position_idx_range.mmap", "atomic_inputs.mmap", "energies.mmap")),
        provides=("Z", "R", "F", "E", "total_charge"),
        cite=(_OPENQDC,),
    )
    yield ReaderSpec(
        name="torchmd-net",
        summary="Memory-mapped data set of TorchMD-Net: NAME.idx.mmap, NAME.z.mmap, ...",
        load="atomloom_memmap.layouts.torchmdnet:read",
        example="atomloom_memmap.layouts.torchmdnet:example",
        matches=Matches(globs=_TORCHMD_NET_FILES, holds=_TORCHMD_NET_FILES),
        provides=("Z", "R", "E", "F", "total_charge", "mono", "D"),
        cite=(_TORCHMD_NET,),
    )


@hookimpl
def atomloom_writers() -> Iterable[WriterSpec]:
    """The writer of stores."""
    yield WriterSpec(
        name="memmap",
        summary="Packed memory-mapped store, streamed, resumable, always the same bytes",
        load="atomloom_memmap.writing:write",
        example="atomloom.testing.examples:charged_molecules",
        matches=_STORE,
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The demo of this package."""
    yield DemoSpec(
        name="memmap",
        summary="200 000 molecules packed, verified and streamed, beside the padded NPZ they came in",
        load="atomloom_memmap.demo.job:run",
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="memmap", summary="Packed stores: convert, info, verify, edges, prune", load="atomloom_memmap.cli:memmap"
    )
