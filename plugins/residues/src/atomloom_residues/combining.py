"""Proteins of different lengths as padded files: all in one, one for each length bucket, or each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atomloom.batching import buckets
from atomloom.errors import ConfigError, DataError
from atomloom.progress import track
from atomloom.runs import atomic_folder
from atomloom.writers import check_target
from atomloom_residues.amino_ids import common_numbers
from atomloom_residues.padded_npz import Padded, Piece, whole, write_padded
from atomloom_residues.protein_source import Indices, Source

Paths = Sequence[str | Path]


def combine_and_pad_npz(paths: Paths, target: str | Path, *, overwrite: bool = False) -> Path:
    """All frames of all proteins in one NPZ, filled up to the longest; see `write_padded`.

    Args:
        paths: of one NPZ for each protein, with ``R [frames, beads, 3]``.
        target: the file to write.
        overwrite: replace it if it exists.
    """
    check_target(target, writer="npz", overwrite=overwrite)
    sources = opened(paths)
    width = max(source.longest for source in sources)
    write_padded(Padded(whole(sources), width, common_numbers(sources)), Path(target))
    return Path(target)


def combine_and_pad_npz_bucketed(
    paths: Paths,
    out_dir: str | Path,
    bucket_boundaries: Sequence[int] | None = None,
    n_buckets: int = 3,
    *,
    optimal: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """One NPZ for each length bucket that has frames, ``bucket_N0100.npz`` and so on; their names are returned.

    Boundaries are inclusive: frames of 100 beads are in the bucket of 100, and all are filled up to it. Amino acids are
    numbered over all proteins.

    Args:
        paths: of one NPZ for each protein.
        out_dir: the folder to make.
        bucket_boundaries: ascending; one more at the longest frame is added where it is above.
        n_buckets: how many to make without boundaries: of equal numbers of frames, or
        optimal: with the least padding.
        overwrite: replace the folder if it exists.
    """
    sources = opened(paths)
    bounds = boundaries(lengths_of(sources), bucket_boundaries, n_buckets, optimal=optimal)
    numbers, written = common_numbers(sources), []
    with atomic_folder(out_dir, replace=overwrite) as folder:
        for bound, pieces in track(_dealt(sources, bounds), total=len(bounds), label="writing buckets"):
            if pieces:
                write_padded(Padded(pieces, bound, numbers), folder / f"bucket_N{bound:04d}.npz")
                written.append(Path(out_dir) / f"bucket_N{bound:04d}.npz")
    return written


def pad_individual_npz(paths: Paths, out_dir: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Each protein in an NPZ of its own, called as before and filled up to the longest of all of them."""
    sources = opened(paths)
    width, numbers = max(source.longest for source in sources), common_numbers(sources)
    names = [source.path.name for source in sources]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError("pad each protein by itself", f"two are called '{twice}'", "Give them different names")
    with atomic_folder(out_dir, replace=overwrite) as folder:
        for source in track(sources, total=len(sources), label="padding proteins"):
            write_padded(Padded(whole([source]), width, numbers), folder / source.path.name)
    return [Path(out_dir) / name for name in names]


def opened(paths: Paths) -> list[Source]:
    """The sources behind paths, of which only headers have been read."""
    if not paths:
        raise DataError("combine proteins", "there are none", "Name one NPZ for each")
    return [Source.open(path) for path in paths]


def lengths_of(sources: Sequence[Source]) -> Indices:
    """Beads of every frame of all sources."""
    return np.concatenate([source.lengths for source in sources])


def boundaries(
    lengths: Indices, given: Sequence[int] | None = None, count: int = 3, *, optimal: bool = False
) -> tuple[int, ...]:
    """The boundaries of the buckets, the last of which holds the longest frame.

    >>> boundaries(np.array([50, 100, 101, 230]), [100, 200])
    (100, 200, 230)
    """
    if given is None:
        made = buckets.optimal(lengths, count) if optimal else buckets.equal_counts(lengths, count)
        return tuple(made.tolist())
    if not len(given) or min(given) < 1 or list(given) != sorted(set(given)):
        found = f"{list(given)} are not ascending lengths from 1 on"
        raise ConfigError("use the bucket boundaries", found, "Give ascending lengths, such as 100 200")
    longest = int(lengths.max())
    return (*given, longest) if longest > given[-1] else tuple(given)


def _dealt(sources: Sequence[Source], bounds: Sequence[int]) -> list[tuple[int, tuple[Piece, ...]]]:
    """For each bucket its frames of every source."""
    members = [buckets.assign(source.lengths, bounds) if source.frames else source.lengths for source in sources]
    dealt = []
    for bucket, bound in enumerate(bounds):
        pieces = (Piece(source, np.flatnonzero(of == bucket)) for source, of in zip(sources, members, strict=True))
        dealt.append((bound, tuple(piece for piece in pieces if len(piece.frames))))
    return dealt
