"""ArrayRecord, Google's format for random access, and grain's loader on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from memmap import laying
from memmap.contenders import Contender, Epoch, by_batch
from memmap.molecules import FRAMES, Indices, Molecules, Padded

_OPTIONS = "group_size:1,uncompressed"  # the quickest to read at random
_THREADS = 4  # of grain: more of them are slower on few cores


def write(molecules: Molecules, folder: Path) -> None:
    """One record a molecule."""
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(folder / "data.array_record"), _OPTIONS)
    for index in range(len(molecules)):
        writer.write(laying.record(molecules, index))
    writer.close()


def open_source(folder: Path) -> Epoch:
    """What array_record gives to Python for random access, from which grain's own source is derived."""
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    source = ArrayRecordDataSource(str(folder / "data.array_record"))
    return by_batch(lambda chosen: laying.records(source.__getitems__(chosen.tolist())))


def open_reader(folder: Path) -> Epoch:
    """The reader beneath it, called with the records of a whole batch, which it reads in threads."""
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(
        str(folder / "data.array_record"), "readahead_buffer_size:0,index_storage_option:in_memory"
    )
    return by_batch(lambda chosen: laying.records(reader.read(chosen.tolist())))


def open_grain(folder: Path) -> Epoch:
    """grain's own shuffle, batches and threads."""
    import grain
    from grain.sources import ArrayRecordDataSource

    source, seeds = ArrayRecordDataSource(str(folder / "data.array_record")), count()

    def together(held: Sequence[bytes]) -> dict[str, object]:
        return laying.records(held)._asdict()

    def epoch(order: Indices) -> Iterator[Padded]:
        shuffled = grain.MapDataset.source(source).shuffle(seed=next(seeds))
        batches = shuffled.batch(FRAMES, batch_fn=together)[: -(-len(order) // FRAMES)]
        read = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=2 * _THREADS)
        return (Padded(**batch) for batch in batches.to_iter_dataset(read))

    return epoch


CONTENDERS = (
    Contender("array_record, its data source", write, open_source, ("array_record",), limit=15.0),
    Contender("array_record, its reader", write, open_reader, ("array_record",)),
    Contender("grain on array_record", write, open_grain, ("array_record", "grain"), own_order=True),
)
