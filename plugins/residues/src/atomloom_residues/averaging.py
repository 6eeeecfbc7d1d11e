"""Averages trees of parameters one file at a time: sums in float64, integers from the newest file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path as File
from typing import NamedTuple

import numpy as np

from atomloom.errors import DataError
from atomloom.progress import track
from atomloom_residues.checkpoint_file import read_tree
from atomloom_residues.series import Excluded, Series
from atomloom_residues.trees import Array, Path, Tree, leaf_name

_LISTED = 5
"""Leaves that a message names."""


class Form(NamedTuple):
    """What a leaf looks like."""

    shape: tuple[int, ...]
    dtype: str


Reader = Callable[[File], Tree]


def survey(series: Series, read: Reader = read_tree) -> Series:
    """The series less the files that hold numbers that are not finite; stops where trees are not alike.

    Every file is read once, one leaf or one tree at a time.
    """
    newest: Mapping[Path, Form] = {}
    name, bad = "", []
    for path in track(list(reversed(series.files)), total=len(series.files), label="looking into checkpoints"):
        forms, broken = _looked_at(read(path))
        if broken:
            bad.append(Excluded(path, f"'{leaf_name(broken)}' is not finite"))
            continue
        if newest:
            check_alike(newest, forms, name, path.name)
        newest, name = newest or forms, name or path.name
    return series.without(bad)


def _looked_at(tree: Tree) -> tuple[dict[Path, Form], Path | None]:
    """The form of every leaf, and the first one that is not finite."""
    forms, broken = {}, None
    for path in tree:
        leaf = tree[path]
        forms[path] = Form(leaf.shape, leaf.dtype.name)
        if broken is None and leaf.dtype.kind in "fc" and not np.isfinite(leaf).all():
            broken = path
    return forms, broken


def check_alike(newest: Mapping[Path, Form], other: Mapping[Path, Form], name: str, other_name: str) -> None:
    """Stops where two trees differ in their leaves, or in the shape or dtype of one, and names those."""
    asked, todo = f"average '{other_name}' with '{name}'", "Average files of one model, or choose those with --stage"
    for one, there, lacking in ((newest, name, other_name), (other, other_name, name)):
        if alone := sorted(leaf_name(path) for path in one if path not in (other if one is newest else newest)):
            raise DataError(asked, f"{_listed(alone)} {_is(alone)} in '{there}' and not in '{lacking}'", todo)
    for what in ("shape", "dtype"):
        pairs = {path: (getattr(form, what), getattr(other[path], what)) for path, form in newest.items()}
        odd = [
            f"{leaf_name(path)} has the {what} {theirs} and there {ours}"
            for path, (ours, theirs) in pairs.items()
            if ours != theirs
        ]
        if odd:
            raise DataError(asked, _listed(odd), todo)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def average(
    files: Sequence[File], weights: Iterable[float], read: Reader = read_tree, label: str = "averaging"
) -> dict[Path, Array]:
    """``sum_k w_k tree_k``, in the dtypes of the trees.

    At any time there are the sums in float64, which take as much as two trees of float32, and one file.

    Args:
        files: from the oldest to the newest, all alike.
        weights: of each; those of weight 0 are not read, except the newest for its integers.
    """
    sums: dict[Path, Array] = {}
    dtypes: dict[Path, np.dtype[np.generic]] = {}
    pairs = list(zip(files, weights, strict=True))
    for path, weight in track(pairs, total=len(pairs), label=label):
        newest = path == files[-1]
        if weight or newest:
            add(sums, read(path), float(weight), dtypes, integers=newest)
    return rounded(sums, dtypes)


def add(
    sums: dict[Path, Array], tree: Tree, weight: float, dtypes: dict[Path, np.dtype[np.generic]], *, integers: bool
) -> None:
    """Add a tree times its weight to sums; those leaves that are whole numbers or truths are taken over if wanted."""
    for path in tree:
        leaf = tree[path]
        dtypes[path] = leaf.dtype
        if leaf.dtype.kind not in "fc":
            if integers:
                sums[path] = np.array(leaf)
        elif weight:
            wide = np.complex128 if leaf.dtype.kind == "c" else np.float64
            part = leaf.astype(wide)
            part *= weight
            if path in sums:
                sums[path] += part
            else:
                sums[path] = part


def rounded(sums: dict[Path, Array], dtypes: Mapping[Path, np.dtype[np.generic]]) -> dict[Path, Array]:
    """The sums in their dtypes, each freed as soon as it is rounded."""
    return {path: sums.pop(path).astype(dtypes[path], copy=False) for path in dtypes}
