"""A soup: the even mean of those checkpoints that together do best on validation data.

Files are tried from the best to the worst; each stays in if the mean with it is not worse than without (Wortsman et al.
2022, the greedy soup). No fixed profile is best for every training; choosing on validation data is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File
from typing import NamedTuple

import numpy as np

from atomloom.errors import DataError
from atomloom.progress import track
from atomloom_residues.averaging import Reader, average
from atomloom_residues.checkpoint_file import read_tree
from atomloom_residues.profiles import Weights
from atomloom_residues.series import Series
from atomloom_residues.trees import Tree

Judge = Callable[[Tree], float]
"""The loss of parameters on validation data; lower is better."""


class Soup(NamedTuple):
    """Which files are in it.

    Args:
        weights: from the oldest file to the newest.
        scores: of each file alone.
        score: of the soup.
    """

    weights: Weights
    scores: Weights
    score: float


def greedy(series: Series, judge: Judge, read: Reader = read_tree) -> Soup:
    """The greedy soup of a series.

    It is never worse on the validation data than the best file, with which it starts.

    Args:
        judge: gives the loss of parameters.
    """
    files = series.files
    scores = np.array([judge(read(path)) for path in track(files, total=len(files), label="judging checkpoints")])
    if not np.isfinite(scores).any():
        raise DataError("cook a soup", "no checkpoint has a finite loss on the validation data", "Check that data")
    order = [int(place) for place in np.argsort(scores, kind="stable") if np.isfinite(scores[place])]
    chosen, score = [order[0]], float(scores[order[0]])
    for place in track(order[1:], total=len(order) - 1, label="cooking"):
        tried = judge(_mean([files[each] for each in sorted([*chosen, place])], read))
        if tried <= score:
            chosen, score = [*chosen, place], tried
    weights = np.zeros(len(files))
    weights[chosen] = 1.0 / len(chosen)
    return Soup(weights, scores, score)


def _mean(files: list[File], read: Reader) -> Tree:
    return average(files, [1.0 / len(files)] * len(files), read)
