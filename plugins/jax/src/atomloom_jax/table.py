"""The table of an epoch: every metric on both parts of the data, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping

_HEAD = ("Metric", "Train", "Valid", "Diff", "% Diff")


def epoch_table(epoch: int, total: int, train: Mapping[str, float], valid: Mapping[str, float], pace: str) -> str:
    """Metrics of the parts side by side; the difference is valid less train, and its share is of train.

    >>> print(epoch_table(3, 10, {"loss": 2.0}, {"loss": 2.5}, "1.2 s"))
    epoch 3 of 10, 1.2 s
    Metric   Train   Valid    Diff  % Diff
    loss         2     2.5    +0.5   +25.0
    """
    rows = [_HEAD, *(_row(name, value, valid.get(name)) for name, value in train.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    widths = [widths[0], *(max(width, 6) for width in widths[1:])]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
    return "\n".join([f"epoch {epoch} of {total}, {pace}", *lines])


def _row(name: str, train: float, valid: float | None) -> tuple[str, ...]:
    if valid is None:
        return (name, f"{train:.5g}", "", "", "")
    difference = valid - train
    share = f"{100 * difference / abs(train):+.1f}" if train else ""
    return (name, f"{train:.5g}", f"{valid:.5g}", f"{difference:+.3g}", share)
