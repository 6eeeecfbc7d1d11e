"""Reads the sources of an experiment, harmonises them and joins them into one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomloom.data import Dataset, concatenate
from atomloom.data.levels import LEVEL as FRAME_LEVEL
from atomloom.data.levels import at_level
from atomloom.data.meta import LEVEL, LEVELS
from atomloom.errors import InputError
from atomloom.experiment import Source
from atomloom.harmonizing import Choices, Finding, HarmonizeReport, harmonize
from atomloom.readers import expand, read, side_by_side


@dataclass(frozen=True)
class Part:
    """One file as its reader gives it, and what the user settled about it."""

    path: Path
    raw: Dataset
    choices: Choices


@dataclass(frozen=True)
class Harmonised:
    """A harmonised data set, the report of how it came about, and the files that it was read from."""

    dataset: Dataset
    report: HarmonizeReport
    files: tuple[Path, ...]


def load_data(sources: Sequence[Source]) -> Harmonised:
    """All sources of an experiment as one data set; see `join`."""
    parts = []
    for source in sources:
        choices = Choices(source.read_as, source.units, source.drop_bad)
        for path in _paths(source.paths):
            raw = read(path, reader=source.reader, **source.options)
            said = {LEVEL: source.level} if source.level else {}
            parts.append(Part(path, raw.with_meta(**said), choices))
    return join(parts)


def load_paths(
    paths: Sequence[str],
    *,
    reader: str = "",
    options: Mapping[str, Any] | None = None,
    choices: Choices | None = None,
) -> Harmonised:
    """All files that these paths and globs name as one data set; see `join`.

    Args:
        reader: name of the reader; without one the look of each file suggests it.
        options: of the reader.
        choices: what the user settles about the fields.
    """
    parts = [Part(path, read(path, reader=reader, **(options or {})), choices or Choices()) for path in _paths(paths)]
    return join(parts)


def join(parts: Sequence[Part]) -> Harmonised:
    """Files as one data set.

    Files that hold different fields of the same frames are laid side by side, as a crystal's model and reflections, or
    positions and forces in two files; all others are harmonised each and put one behind the other.
    """
    files = tuple(part.path for part in parts)
    merged = side_by_side([part.raw for part in parts])
    if merged is not None:
        meanings = {name: meaning for part in parts for name, meaning in part.choices.meanings.items()}
        units = {name: unit for part in parts for name, unit in part.choices.units.items()}
        drop_bad = any(part.choices.drop_bad for part in parts)
        dataset, report = harmonize(merged, Choices(meanings, units, drop_bad))
        return Harmonised(dataset, report, files)
    done = [_named(part) for part in parts]
    findings = dict.fromkeys(finding for _, report in done for finding in report.findings)
    levels, mixed = _levels([(part.path, dataset) for part, (dataset, _) in zip(parts, done, strict=True)])
    datasets = [dataset for dataset, _ in done]
    dataset = concatenate(_told_apart(datasets) if mixed else datasets).with_meta(**levels)
    return Harmonised(dataset, HarmonizeReport((*findings, *mixed)), files)


def _levels(sources: Sequence[tuple[Path, Dataset]]) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """What is to be said of sources that were computed at different levels of theory: as `meta`, and as a warning."""
    names = [path.name for path, _ in sources]
    said = {
        path.name if names.count(path.name) == 1 else str(path): level
        for path, dataset in sources
        if (level := dataset.meta.get(LEVEL))
    }
    known = list(said.values())
    if all(level == known[0] for level in known):
        return {}, ()
    listed = ", ".join(f"{name} at {level}" for name, level in said.items())
    note = f"the sources are at different levels of theory: {listed}"
    return {LEVELS: said}, (Finding("", LEVEL, "comparison", note, "warning"),)


def _told_apart(datasets: Sequence[Dataset]) -> list[Dataset]:
    """The sources with the level of theory of each of their frames, which is empty where nothing says it."""
    return [data if FRAME_LEVEL in data else at_level(data, str(data.meta.get(LEVEL, ""))) for data in datasets]


def _named(part: Part) -> tuple[Dataset, HarmonizeReport]:
    """One file harmonised; an error says which file it is about."""
    try:
        return harmonize(part.raw, part.choices)
    except InputError as error:
        raise type(error)(f"{error.asked} of '{part.path}'", error.found, error.todo) from error


def _paths(patterns: Sequence[str]) -> list[Path]:
    return [path for pattern in patterns for path in expand(pattern)]
