"""From a folder of checkpoints and a wish to an averaged tree that knows where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from atomloom.runs import origin
from atomloom_residues.averaging import average, survey
from atomloom_residues.checkpoint_file import read_tree, recorded_epoch
from atomloom_residues.choosing import Chosen, Request, choose
from atomloom_residues.profiles import Weights
from atomloom_residues.series import Series, find
from atomloom_residues.soup import greedy
from atomloom_residues.trees import Array, Path


@dataclass(frozen=True)
class Recipe:
    """What to average and how.

    Args:
        folder: of a run or of checkpoints.
        request: the weights wanted.
        entry: where in each file the parameters are; see `read_tree`.
        stage: a part of the names of the files; see `find`.
        validate: the experiment whose validation part judges the files and the average.
        soup: whether that also chooses the weights.
    """

    folder: str
    request: Request = field(default_factory=Request)
    entry: str = ""
    stage: str = ""
    validate: str | None = None
    soup: bool = False


@dataclass(frozen=True)
class Averaged:
    """An average.

    Args:
        tree: the parameters.
        series: what was averaged.
        chosen: with which weights.
        entry: where in each file the parameters were looked for.
        scores: the validation loss of each file, if they were judged.
        score: that of the average.
    """

    tree: dict[Path, Array]
    series: Series
    chosen: Chosen
    entry: str = ""
    scores: Weights | None = None
    score: float | None = None

    @property
    def epoch(self) -> int | None:
        """That of the newest file, if it is of a run."""
        return recorded_epoch(self.series.files[-1])

    def rows(self) -> list[tuple[Any, ...]]:
        """Name, time, weight and perhaps loss of each file, the oldest first."""
        columns: list[Any] = [
            [path.name for path in self.series.files],
            self.series.times.tolist(),
            [float(f"{weight:.6g}") for weight in self.chosen.weights],
        ]
        if self.scores is not None:
            columns.append(self.scores.tolist())
        return list(zip(*columns, strict=True))

    def provenance(self) -> dict[str, Any]:
        """Where the numbers come from, as plain data."""
        series, spread = self.series, self.chosen.spread
        sources = [
            {**origin(path), series.unit: time, "weight": weight}
            for path, time, weight in zip(
                series.files, series.times.tolist(), self.chosen.weights.tolist(), strict=True
            )
        ]
        return {
            "rule": self.chosen.rule,
            "effective": spread.effective,
            "oldest": spread.oldest,
            "entry": self.entry,
            "sources": sources,
            "excluded": [{"file": each.path.name, "reason": each.reason} for each in series.excluded],
            **({} if self.score is None else {"loss": self.score}),
            **({} if self.scores is None else {"losses": self.scores.tolist()}),
        }


def averaged(recipe: Recipe) -> Averaged:
    """The average that a recipe describes."""
    read = partial(read_tree, entry=recipe.entry)
    series = survey(find(recipe.folder, recipe.stage), read)
    if recipe.validate is None:
        chosen = choose(recipe.request, series)
        return Averaged(average(series.files, chosen.weights, read), series, chosen, recipe.entry)
    from atomloom_residues.judging import Judge  # loads data and the model

    judge = Judge.of(recipe.validate)
    if recipe.soup:
        cooked = greedy(series, judge, read)
        chosen = Chosen(f"greedy soup of {int((cooked.weights > 0).sum())} files", cooked.weights)
        tree = average(series.files, chosen.weights, read)
        return Averaged(tree, series, chosen, recipe.entry, cooked.scores, cooked.score)
    chosen = choose(recipe.request, series)
    tree = average(series.files, chosen.weights, read)
    return Averaged(tree, series, chosen, recipe.entry, score=judge(tree))
