"""Length buckets as loaders of batches, each of one shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from atomloom.batching import FixedPlan, Order, PaddedBatch, Sizes, feed
from atomloom.data import Dataset
from atomloom.harmonizing import Choices, harmonize
from atomloom_residues.bucket_reading import bucket_files, union
from atomloom_residues.protein_source import Indices, Source


class BucketLoader:
    """The frames of one bucket.

    Args:
        dataset: with canonical fields, without padding.
        width: to which every frame of a batch is filled up.
        seed: of the order of the epochs.
    """

    def __init__(self, dataset: Dataset, width: int, seed: int) -> None:
        self.dataset, self.width, self._seed = dataset, width, seed

    def __len__(self) -> int:
        return len(self.dataset)

    def batches(self, batch_size: int, epoch: int = 0, *, shuffle: bool = True) -> Iterator[PaddedBatch]:
        """The batches of an epoch, all of ``batch_size`` frames of `width` slots, with masks."""
        sizes, order = Sizes.of(self.dataset), Order(len(self), self._seed, shuffled=shuffle)
        return feed(self.dataset, FixedPlan(sizes, order, batch_size, num_atoms=self.width).batches(epoch))


class BucketedDatasetLoader:
    """A folder of buckets, or bucket files, as one loader for each.

    Args:
        dir_or_paths: the folder that `combine_and_pad_npz_bucketed` made, or paths of its files.
        max_frames: of each bucket at the most, drawn by `seed`.
        seed: of what is drawn, and of the order of the epochs.

    Attributes:
        buckets: (width, loader) of each, the shortest first.
        aa_to_id: the number of each amino acid, the same in all of them.
    """

    def __init__(self, dir_or_paths: str | Path | Sequence[str | Path], max_frames: int | None = None, seed: int = 42):
        paths = _paths(dir_or_paths)
        self._paths = paths
        self.buckets: list[tuple[int, BucketLoader]] = []
        for path in paths:
            dataset, _ = harmonize(union([path]), Choices())
            width = Source.open(path).rows["R"].shape[1]
            kept = _drawn(len(dataset), max_frames, seed)
            self.buckets.append((width, BucketLoader(dataset if kept is None else dataset[kept], width, seed)))

    @cached_property
    def union(self) -> Dataset:
        """All frames of all files: what priors and normalisations are to be fitted to."""
        return harmonize(union(self._paths), Choices())[0]

    @property
    def aa_to_id(self) -> dict[str, int]:
        """The number of each amino acid."""
        return dict(self.union.meta["aa_to_id"])


def _paths(given: str | Path | Sequence[str | Path]) -> list[Path]:
    if isinstance(given, str | Path):
        return [path for _, path in bucket_files(given)]
    return sorted(map(Path, given), key=lambda path: Source.open(path).rows["R"].shape[1])


def _drawn(frames: int, most: int | None, seed: int) -> Indices | None:
    if most is None or frames <= most:
        return None
    return np.sort(np.random.default_rng(seed).permutation(frames)[:most])
