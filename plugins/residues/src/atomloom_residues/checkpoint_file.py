"""A checkpoint of any known kind as a tree of parameters; nothing in it is imported or run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from atomloom import inert
from atomloom.arrays import Inert, open_arrays
from atomloom.errors import DataError
from atomloom.runs.checkpoint import ENGINE
from atomloom_residues.bfloat16 import understood
from atomloom_residues.flax_msgpack import read_msgpack
from atomloom_residues.orbax_folder import is_orbax, leaves_of, read_leaf
from atomloom_residues.torch_zip import read_torch
from atomloom_residues.trees import Array, Path, Tree, entry_of, flatten, nested

AVERAGED = "atomloom-residues"
"""Under this key an average keeps where its numbers come from: as JSON in the metadata, or in what a run remembers."""

_KEY = "atomloom"

_TORCH_BEFORE_1_6 = 0x1950A86A20F9469CFC6C
"""The number that such a file starts with."""


class Lazy(Mapping[Path, Array]):
    """A tree whose leaves are read when they are asked for, so that one of them is in memory at a time."""

    def __init__(self, paths: Mapping[Path, str], read: Callable[[str], Array]) -> None:
        self._paths, self._read = paths, read

    def __getitem__(self, path: Path) -> Array:
        return self._read(self._paths[path])

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def read_tree(source: str | File, entry: str = "") -> Tree:
    """The parameters in a checkpoint.

    Args:
        source: a safetensors file (those of atomloom's runs without what their engine keeps), NPZ, flax msgpack, a
            pickle of a trainer's state, an archive by ``torch.save``, or a folder by orbax.
        entry: the part that holds the parameters, keys joined by slashes; else the usual ones are followed.

    Raises:
        DataError: when it is damaged, of no known kind, or holds something else than arrays there.
    """
    path = File(source)
    if not path.is_file() and not is_orbax(path):
        found = "it is no folder that orbax wrote" if path.is_dir() else "there is no such file"
        raise DataError(f"read '{path}'", found, "Check the path")
    kind = _orbax if path.is_dir() else _READERS.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"read '{path}'", f"its suffix is {path.suffix!r}", f"Give one of {', '.join(_READERS)}")
    tree = kind(path, entry)
    if not tree:
        raise DataError(f"read '{path}'", "it holds no arrays", "Name the part that does with --entry")
    return tree


def is_checkpoint(path: File) -> bool:
    """Whether `read_tree` has a reader for what is there."""
    return path.suffix.lower() in SUFFIXES if path.is_file() else is_orbax(path)


def recorded_epoch(path: File) -> int | None:
    """After which epoch a checkpoint of an atomloom run was written; None for any other file."""
    about, _ = _about(path)
    return int(about["epoch"]) if "digest" in about else None


def is_average(path: File) -> bool:
    """Whether a file says of itself that it is an average of others."""
    about, metadata = _about(path)
    return AVERAGED in metadata or AVERAGED in about.get("extra", {})


def _about(path: File) -> tuple[dict[str, Any], Mapping[str, str]]:
    """What atomloom keeps in the metadata of a safetensors file, and all of them; nothing for other files."""
    if path.suffix != ".safetensors":
        return {}, {}
    try:
        with safe_open(path, framework="np") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
        about = json.loads(metadata.get(_KEY, "{}"))
    except (OSError, SafetensorError, ValueError):
        return {}, {}
    return (about if isinstance(about, dict) else {}), metadata


def _safetensors(path: File, entry: str) -> Tree:
    try:
        with safe_open(path, framework="np") as file:
            names = [name for name in file.keys() if not name.startswith(ENGINE)]  # noqa: SIM118  no mapping
            for name in names:
                _check_dtype(path, name, file.get_slice(name).get_dtype())
    except (OSError, SafetensorError) as error:
        raise DataError(f"read '{path}'", f"it is no whole safetensors file ({error})", "Copy it once more") from error
    prefix = f"{entry}/" if entry else ""
    return Lazy({(name,): name for name in names if name.startswith(prefix)}, lambda name: _tensor(path, name))


def _check_dtype(path: File, name: str, dtype: str) -> None:
    if dtype.startswith(("BF", "F8", "F4")):
        todo = "Save it in float32, or as a torch archive, where bfloat16 is read"
        raise DataError(f"read '{name}' in '{path}'", f"it is in {dtype}, which numpy does not know", todo)


def _tensor(path: File, name: str) -> Array:
    with safe_open(path, framework="np") as file:
        tensor: Array = file.get_tensor(name)
    return tensor


def _npz(path: File, entry: str) -> Tree:
    arrays = open_arrays(path)
    if any(isinstance(rows, Inert) for rows in arrays.values()):
        whole = {
            name: inert.plain(rows.value) if isinstance(rows, Inert) else rows[...] for name, rows in arrays.items()
        }
        return flatten(entry_of(whole, entry)[0])
    prefix = f"{entry}/" if entry else ""
    paths: dict[Path, str] = {(name,): name for name in arrays if name.startswith(prefix)}
    return Lazy(paths, lambda name: np.asarray(arrays[name][...]))


def _orbax(path: File, entry: str) -> Tree:
    """Leaf by leaf; the part that holds the parameters is looked for among the names alone."""
    folder, names = leaves_of(path)
    taken, _ = entry_of(nested(names), entry)
    return Lazy(_strings(taken, ()), lambda name: read_leaf(folder, name))


def _strings(value: Any, path: Path) -> dict[Path, str]:
    """The texts in nested dicts and lists by the keys that lead to them."""
    if isinstance(value, str):
        return {path: value}
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    return {inner: name for key, held in pairs for inner, name in _strings(held, (*path, key)).items()}


def _whole(read: Callable[[File], Any]) -> Callable[[File, str], Tree]:
    return lambda path, entry: flatten(entry_of(read(path), entry)[0], understood)


def _pickle(path: File) -> Any:
    return inert.plain(inert.load(path))


def _torch(path: File) -> Any:
    with open(path, "rb") as file:
        archive = file.read(4) == b"PK\x03\x04"
    if archive:
        return read_torch(path)
    value = _pickle(path)
    if value == _TORCH_BEFORE_1_6:
        todo = "Load it with torch and save it again by torch.save"
        raise DataError(f"read '{path}'", "it is in the form that torch wrote before version 1.6", todo)
    return value


_READERS: Final[Mapping[str, Callable[[File, str], Tree]]] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".msgpack": _whole(read_msgpack),
    ".flax": _whole(read_msgpack),
    ".pkl": _whole(_pickle),
    ".pickle": _whole(_pickle),
    ".pt": _whole(_torch),
    ".pth": _whole(_torch),
    ".ckpt": _whole(_torch),
}

SUFFIXES = frozenset(_READERS)
"""The suffixes of files that are read."""
