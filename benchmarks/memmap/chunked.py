"""Formats of chunks and groups: zarr, and HDF5 with a group for every molecule."""

from __future__ import annotations

from pathlib import Path

from atomloom.data.columns import segments
from memmap import laying
from memmap.contenders import Contender, Epoch, by_batch
from memmap.molecules import Indices, Molecules, Padded, empty

_CHUNK = 1 << 16  # rows of a zarr chunk: most of a MB, and the quickest of those that are not the whole array


def write_zarr(molecules: Molecules, folder: Path) -> None:
    """Packed arrays in chunks that are not compressed, which are twice as quick to read."""
    import zarr

    group = zarr.create_group(folder / "data.zarr")
    for name in ("offsets", *Padded._fields):
        values = getattr(molecules, name)
        chunks = (_CHUNK, *values.shape[1:])
        group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, compressors=None)[:] = values


def open_zarr(folder: Path) -> Epoch:
    """The rows of a batch by one orthogonal index a field."""
    import zarr

    group = zarr.open_group(folder / "data.zarr", mode="r")
    offsets: Indices = group["offsets"][:]
    Z, R, F, E = (group[name] for name in Padded._fields)

    def read(chosen: Indices) -> Padded:
        lengths = offsets[chosen + 1] - offsets[chosen]
        found = segments(offsets[chosen], lengths)
        return laying.rows(Z.oindex[found], R.oindex[found], F.oindex[found], E.oindex[chosen], lengths)

    return by_batch(read)


def write_groups(molecules: Molecules, folder: Path) -> None:
    """A group a molecule, as MACE's files have it."""
    import h5py

    with h5py.File(folder / "data.h5", "w", libver="latest") as file:
        for index in range(len(molecules)):
            group = file.create_group(str(index))
            for name, values in zip(Padded._fields, molecules.one(index), strict=True):
                group[name] = values


def open_groups(folder: Path) -> Epoch:
    """The low-level interface of h5py, three times as quick as the other."""
    import h5py

    file = h5py.File(folder / "data.h5", "r")
    whole = h5py.h5s.ALL

    def read(chosen: Indices) -> Padded:
        batch = empty(len(chosen))
        energies = batch.E[:, None]
        for row, index in enumerate(chosen.tolist()):
            for name, out in (("Z", batch.Z), ("R", batch.R), ("F", batch.F)):
                held = h5py.h5d.open(file.id, b"%d/%s" % (index, name.encode()))
                held.read(whole, whole, out[row, : held.shape[0]])
            h5py.h5d.open(file.id, b"%d/E" % index).read(whole, whole, energies[row])
        return batch

    return by_batch(read)


CONTENDERS = (
    Contender("zarr", write_zarr, open_zarr, ("zarr",)),
    Contender("HDF5, a group a molecule", write_groups, open_groups, ("h5py",), molecules=10_000),
)
