"""Reads the folders that orbax writes, leaf by leaf through tensorstore, without orbax or jax.

``_METADATA`` lists the keys of every leaf. The leaves are zarr arrays called by their keys joined by dots, in one
database (OCDBT) or each in a folder of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from atomloom.errors import ConfigError, DataError
from atomloom_residues.trees import Array
from atomloom_residues.trees import Path as Keys

METADATA: Final = "_METADATA"

_DATABASE = "manifest.ocdbt"

_SEQUENCE = 1
"""How orbax marks a key that is a place in a list."""


def is_orbax(path: Path) -> bool:
    """Whether a folder is a checkpoint of orbax, or of its manager, which keeps them in folders within."""
    return path.is_dir() and bool(_items(path))


def leaves_of(path: Path) -> tuple[Path, dict[Keys, str]]:
    """The folder with the arrays, and the name there of every leaf of the tree.

    Raises:
        DataError: when the folder is damaged, or has several trees.
    """
    items = _items(path)
    if len(items) != 1:
        found = f"it has {', '.join(item.name for item in items)}" if items else f"it has no {METADATA}"
        raise DataError(f"read '{path}'", found, "Name the folder of one tree that orbax wrote")
    try:
        tree = json.loads((items[0] / METADATA).read_text(encoding="utf-8"))["tree_metadata"]
        paths = [_keys(each["key_metadata"]) for each in tree.values() if _is_array(each)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"read '{path}'", f"its {METADATA} is damaged ({error})", "Copy it once more") from error
    return items[0], {keys: ".".join(map(str, keys)) for keys in paths}


def read_leaf(folder: Path, name: str) -> Array:
    """One array; those in bfloat16 in float32, which has the same numbers."""
    try:
        import tensorstore
    except ImportError as error:
        raise ConfigError(
            f"read the checkpoint '{folder}'", "orbax' folders are read by tensorstore, which is not installed",
            "Install it by `pip install 'atomloom-residues[orbax]'`",
        ) from error  # fmt: skip
    zarr3 = json.loads((folder / METADATA).read_text(encoding="utf-8")).get("use_zarr3")
    try:
        stored = tensorstore.open({"driver": "zarr3" if zarr3 else "zarr", "kvstore": _where(folder, name)}).result()
        values = np.asarray(stored.read().result())
    except (ValueError, OSError) as error:
        found = f"'{name}' is damaged or missing ({str(error).splitlines()[0][:200]})"
        raise DataError(f"read '{folder}'", found, "Copy it once more") from error
    return values.astype(np.float32) if values.dtype.name == "bfloat16" else values


def _where(folder: Path, name: str) -> dict[str, Any]:
    """Where tensorstore finds an array."""
    home = str(folder.resolve())
    if (folder / _DATABASE).is_file():
        return {"driver": "ocdbt", "base": {"driver": "file", "path": f"{home}/"}, "path": f"{name}/"}
    return {"driver": "file", "path": f"{home}/{name}/"}


def _items(path: Path) -> list[Path]:
    """The folders that hold a tree: this one, or those within."""
    if (path / METADATA).is_file():
        return [path]
    return sorted(inner for inner in path.iterdir() if (inner / METADATA).is_file())


def _keys(listed: list[dict[str, Any]]) -> Keys:
    return tuple(int(each["key"]) if each.get("key_type") == _SEQUENCE else str(each["key"]) for each in listed)


def _is_array(about: dict[str, Any]) -> bool:
    """Whether a leaf is numbers: not text, None or an empty container, which say so in place of a type."""
    kind = str(about["value_metadata"]["value_type"])
    return kind in ("jax.Array", "np.ndarray", "scalar")
