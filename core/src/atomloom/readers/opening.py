"""Opens any source through a reader chosen by name, or suggested by what the file looks like."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Dataset
from atomloom.data.schema import named_like
from atomloom.errors import AmbiguousName, ConfigError, DataError, UnknownName
from atomloom.registry import registry, resolve
from atomloom.registry.lookup import out_of_order
from atomloom.specs import ReaderSpec


def read(source: str | Path, /, *, reader: str = "", **options: Any) -> Dataset:
    """The data set in a file or folder, its fields as they are called there; `atomloom.harmonize` comes next.

    Args:
        reader: name of the reader; without one the look of the file or folder suggests it.
        options: of the reader.
    """
    path = Path(source)
    check_there(path)
    spec = registry().get("readers", reader or suggest(path)).spec
    assert isinstance(spec, ReaderSpec)
    load = resolve(spec.load)
    _check_options(spec.name, load, options)
    dataset: Dataset = load(path, **options)
    return dataset.with_meta(reader=spec.name)


def _check_options(reader: str, load: Callable[..., Dataset], options: Mapping[str, Any]) -> None:
    """Stops at an option that the reader does not have."""
    parameters = inspect.signature(load).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    known = [name for name, each in parameters.items() if each.kind is not each.POSITIONAL_ONLY]
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            todo = f"Did you mean {near[0]}?" if near else f"It has {', '.join(known) or 'none'}"
            raise ConfigError(f"set the option {name!r} of the reader {reader!r}", "it has no such option", todo)


def suggest(path: Path) -> str:
    """The reader that the look of a file or folder suggests; stops where there is none or more than one."""
    found = registry().sniff(path)
    if not found:
        raise _unknown(path)
    likeliest: list[str] = [each.contribution.spec.name for each in found if each.weight == found[0].weight]
    if len(likeliest) > 1:
        raise AmbiguousName(f"read '{path}'", f"{' and '.join(likeliest)} could read it", "Choose one with --reader")
    return likeliest[0]


def _unknown(path: Path) -> UnknownName:
    kind = "folder" if path.is_dir() else "file"
    found = "; ".join([f"no installed reader knows this kind of {kind}", *out_of_order(registry().plugins)])
    if path.is_dir():
        todo = f"Name the files in it, such as '{path}/*.npz', or a reader with --reader"
    else:
        readers = [(reader.spec.name, reader.plugin) for reader in registry().all("readers")]
        names = [name for name, _ in readers]
        listed = ", ".join(sorted(n if names.count(n) == 1 else f"{plugin}:{n}" for n, plugin in readers))
        todo = f"Name a reader with --reader ({listed}), or install a plugin that brings one"
    return UnknownName(f"read '{path}'", found, todo)


def expand(pattern: str | Path) -> list[Path]:
    """The files that a path or a glob names, sorted."""
    text = str(pattern)
    if Path(text).exists() or not any(mark in text for mark in "*?["):
        return [Path(text)]
    found = sorted(Path(name) for name in glob(text, recursive=True))
    if not found:
        raise DataError(
            f"read '{pattern}'", "no file matches it", "Check the pattern; quote it so that the shell leaves it alone"
        )
    return found


def check_there(path: Path) -> None:
    """Stops at a path that is missing, with the nearest names beside it, and at an empty file."""
    if not path.exists():
        beside = path.parent if path.parent.is_dir() else None
        if beside is None:
            raise DataError(f"read '{path}'", f"there is no folder '{path.parent}'", "Check the path")
        near = get_close_matches(path.name, [entry.name for entry in beside.iterdir()], n=3)
        todo = f"Did you mean {' or '.join(near)}?" if near else "Check the path"
        raise DataError(f"read '{path}'", "there is no such file", todo)
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"read '{path}'", "the file is empty (0 bytes)", "Check that its download or copy finished")


def side_by_side(datasets: Sequence[Dataset]) -> Dataset | None:
    """Sources that hold different fields of the same frames as one data set; None where they are not such sources.

    Both may say the same of each frame as a whole, as a crystal's model and its data do of the cell. Cells may differ
    by as much as two measurements of one crystal do; that of the first source counts.
    """
    if len({len(dataset) for dataset in datasets}) != 1:
        return None
    merged = datasets[0]
    for other in datasets[1:]:
        again = [name for name in other.columns if name in merged]
        if _held(merged) & _held(other) - set(again) or not all(_agree(merged, other, name) for name in again):
            return None
        columns = {name: column for name, column in other.columns.items() if name not in again}
        if not columns:
            return None
        merged = merged.with_columns(columns, {name: other.fields[name] for name in columns}).with_meta(**other.meta)
    return merged


def _agree(one: Dataset, other: Dataset, name: str) -> bool:
    """Whether a field has one value for each frame and these are about the same in both."""
    if one.columns[name].ragged or other.columns[name].ragged:
        return False
    values, others = one[name], other[name]
    if name != "cell":
        return np.array_equal(values, others)
    return values.shape == others.shape and bool(np.abs(values - others).max() <= _SAME_CELL * np.abs(values).max())


_SAME_CELL = 5e-3
"""How far vectors of one cell may be apart, as a part of the longest."""


def _held(dataset: Dataset) -> set[str]:
    """What a source holds: names as they are, and the field for those that can only be one."""
    fields = [named_like(name) for name in dataset.columns]
    return {*dataset.columns, *(candidates[0].name for candidates in fields if len(candidates) == 1)}
