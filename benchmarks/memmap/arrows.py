"""Arrow and what is built on it: pyarrow itself, datasets of Hugging Face, Lance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memmap import laying
from memmap.contenders import Contender, Epoch, by_batch
from memmap.molecules import Molecules, Padded

if TYPE_CHECKING:
    import pyarrow as pa


def table(molecules: Molecules) -> pa.RecordBatch:
    """Lists of elements and of vectors, and the energies."""
    import pyarrow as pa

    offsets = pa.array(molecules.offsets.astype(np.int32))
    columns: dict[str, Any] = {"Z": pa.ListArray.from_arrays(offsets, pa.array(molecules.Z))}
    for name in ("R", "F"):
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(getattr(molecules, name).reshape(-1)), 3)
        columns[name] = pa.ListArray.from_arrays(offsets, vectors)
    return pa.record_batch({**columns, "E": pa.array(molecules.E)})


def padded(taken: Any) -> Padded:
    """A batch of what Arrow took, which is one piece."""
    Z, R, F, E = (taken.column(name) for name in Padded._fields)
    lengths = np.diff(Z.offsets.to_numpy())
    vectors = (field.flatten().flatten().to_numpy().reshape(-1, 3) for field in (R, F))
    return laying.rows(Z.flatten().to_numpy(), *vectors, E.to_numpy(), lengths)


def write_ipc(molecules: Molecules, folder: Path) -> None:
    """An Arrow file of one record batch, not compressed."""
    import pyarrow as pa

    batch = table(molecules)
    with pa.OSFile(str(folder / "table.arrow"), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write(batch)


def open_ipc(folder: Path) -> Epoch:
    """The file mapped, and `take`."""
    import pyarrow as pa

    held = pa.ipc.open_file(pa.memory_map(str(folder / "table.arrow"))).get_batch(0)
    return by_batch(lambda chosen: padded(held.take(pa.array(chosen))))


def binaries(molecules: Molecules) -> pa.Table:
    """One binary value a molecule, which data sets and Lance take two to three times faster than lists."""
    import pyarrow as pa

    held = [laying.record(molecules, index) for index in range(len(molecules))]
    return pa.table({"molecule": pa.array(held, pa.binary())})


def write_hugging_face(molecules: Molecules, folder: Path) -> None:
    """A data set on disk, as `save_to_disk` makes it."""
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset(binaries(molecules)).save_to_disk(folder / "data")


def open_hugging_face(folder: Path) -> Epoch:
    """In Arrow's format, which it hands out several times faster than numpy's."""
    import datasets

    held = datasets.load_from_disk(folder / "data").with_format("arrow")
    return by_batch(lambda chosen: laying.records(held[chosen].column("molecule").to_pylist()))


def write_lance(molecules: Molecules, folder: Path) -> None:
    """A data set of Lance as it makes it by default."""
    import lance

    lance.write_dataset(binaries(molecules), folder / "data.lance")


def open_lance(folder: Path) -> Epoch:
    """`take`, and the values of a batch laid out together."""
    import lance

    held = lance.dataset(folder / "data.lance")
    return by_batch(lambda chosen: laying.records(held.take(chosen).column("molecule").to_pylist()))


CONTENDERS = (
    Contender("pyarrow take", write_ipc, open_ipc, ("pyarrow",), limit=3.0),
    Contender("HF datasets", write_hugging_face, open_hugging_face, ("datasets", "pyarrow")),
    Contender("Lance", write_lance, open_lance, ("lance", "pyarrow")),
)
