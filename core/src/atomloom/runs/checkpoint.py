"""One moment of a fit, from which it can go on: named arrays, and what else its engine must remember.

A checkpoint is one safetensors file. Its metadata hold everything that is not an array (epoch, score, extra, a digest
over all of it), so that a single rename makes it valid and no kill can leave two files that disagree. The JSON file
beside it repeats the metadata for people and is never read back; it is written first, so that a kill between the two
leaves it ahead, until the epoch is done again.

>>> from tempfile import mkdtemp
>>> path = Path(mkdtemp()) / "latest.safetensors"
>>> save(path, Checkpoint(3, {"weight": np.eye(2)}, {"seed": 7}, score=0.25))
>>> load(path).extra
{'seed': 7}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from atomloom.errors import DataError, PluginError
from atomloom.runs import strictjson
from atomloom.runs.atomic import atomic_copy, atomic_file
from atomloom.runs.versions import own_version

FORMAT = 1
"""The version of the layout of the metadata."""

DTYPES = frozenset(
    {"bool", "float16", "float32", "float64", "complex64"}
    | {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
)
"""What arrays in a checkpoint may consist of."""

ENGINE = "training/"
"""What the names of leaves start with that an engine keeps to go on, and that are no part of the model."""

_KEY = "atomloom"
_LENGTH = 8  # bytes in which safetensors says how long its header is


class Checkpoint(NamedTuple):
    """The state of a fit after `epoch` epochs.

    Args:
        epoch: how many epochs were completed.
        leaves: the arrays of the model by name, and those of its optimiser under names that start with `ENGINE`.
        extra: whatever else the engine needs to go on (states of random generators, a sampler's position): plain
            data as JSON knows it, so tuples come back as lists. Integers may have any size.
        score: what the best checkpoint is chosen by; lower is better.
    """

    epoch: int
    leaves: Mapping[str, np.ndarray]
    extra: Mapping[str, Any]
    score: float | None = None

    @property
    def model_leaves(self) -> dict[str, np.ndarray]:
        """The arrays that the model predicts with.

        >>> list(Checkpoint(1, {"w": np.ones(2), "training/momentum": np.zeros(2)}, {}).model_leaves)
        ['w']
        """
        return {name: leaf for name, leaf in self.leaves.items() if not name.startswith(ENGINE)}


class Summary(NamedTuple):
    """What a checkpoint says of itself without its arrays being read."""

    epoch: int
    score: float | None
    extra: Mapping[str, Any]
    digest: str


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and the JSON file beside it.

    Raises:
        PluginError: when something in it cannot be stored.
        TargetError: when it cannot be written; a checkpoint that was at `path` is untouched.
    """
    about, leaves = _described(checkpoint)
    with atomic_file(path.with_suffix(".json"), "w") as file:
        file.write(strictjson.dumps(about, indent=2) + "\n")
    with atomic_file(path, "wb") as file:
        file.write(_whole(about, leaves))


def packed(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the contents of its file, to be sent to another process.

    >>> unpacked(packed(Checkpoint(3, {"weight": np.eye(2)}, {"seed": 7}, score=0.25))).score
    0.25
    """
    return _whole(*_described(checkpoint))


def unpacked(content: bytes) -> Checkpoint:
    """The inverse of `packed`."""
    length = int.from_bytes(content[:_LENGTH], "little")
    metadata = json.loads(content[_LENGTH : _LENGTH + length])["__metadata__"]
    about = json.loads(metadata[_KEY])
    return Checkpoint(about["epoch"], from_bytes(content), about["extra"], about["score"])


def copy(source: Path, target: Path) -> None:
    """Keep a checkpoint under another name too; its contents are shared where the file system can."""
    for suffix in (".json", source.suffix):
        atomic_copy(source.with_suffix(suffix), target.with_suffix(suffix))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and make sure that it is what was written.

    Raises:
        DataError: when the file is missing, cut short, altered, or not a checkpoint.
    """
    about, leaves = _read(path, arrays=True)
    if _digest({key: value for key, value in about.items() if key != "digest"}, leaves) != about.get("digest"):
        raise _damaged(path, "its contents do not match the digest that was written with them")
    return Checkpoint(about["epoch"], leaves, about["extra"], about["score"])


def peek(path: Path) -> Summary:
    """What a checkpoint says of itself; its arrays are neither read nor checked."""
    about, _ = _read(path, arrays=False)
    return Summary(about["epoch"], about["score"], about["extra"], about["digest"])


def _described(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a checkpoint says of itself, and its arrays as they are stored."""
    leaves = {name: _storable(name, leaf) for name, leaf in sorted(checkpoint.leaves.items())}
    about: dict[str, Any] = {
        "format": FORMAT,
        "version": own_version(),
        "epoch": int(checkpoint.epoch),
        "score": None if checkpoint.score is None else float(checkpoint.score),
        "extra": _plain(checkpoint.extra, "extra"),
    }
    about["digest"] = _digest(about, leaves)
    return about, leaves


def _whole(about: Mapping[str, Any], leaves: dict[str, np.ndarray]) -> bytes:
    return to_bytes(leaves, metadata={_KEY: json.dumps(about)})


def _storable(name: str, leaf: np.ndarray) -> np.ndarray:
    array = np.asarray(leaf)
    if array.dtype.name not in DTYPES:
        raise PluginError(
            f"store '{name}' in a checkpoint",
            f"it holds {array.dtype.name}, which checkpoints do not keep",
            "The engine has to save it as one of " + ", ".join(sorted(DTYPES)),
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _plain(value: Any, where: str) -> Any:
    """The same as plain JSON data, or an error that says which part of it is not."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}
    kind = "keys that are not texts" if isinstance(value, Mapping) else f"a {type(value).__name__}"
    raise PluginError(
        f"store '{where}' in a checkpoint",
        f"there is {kind}, which JSON does not know",
        "The engine has to give it as numbers, texts, lists and dicts, or as a leaf if it is an array",
    )


def _digest(about: Mapping[str, Any], leaves: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16)
    for name, leaf in sorted(leaves.items()):
        digest.update(f"{name} {leaf.dtype.name} {leaf.shape}".encode())
        digest.update(leaf.reshape(-1).view(np.uint8).data)
    return "blake2b-128:" + digest.hexdigest()


def _read(path: Path, *, arrays: bool) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            leaves = {name: file.get_tensor(name) for name in file.keys()} if arrays else {}  # noqa: SIM118  no mapping
        about = json.loads(metadata.get(_KEY, "null"))
    except FileNotFoundError:
        raise DataError(f"read '{path}'", "there is no such file", "Name a run that has this checkpoint") from None
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, f"it is not a whole safetensors file ({_first_line(error)})") from error
    return _checked(path, about), leaves


def _checked(path: Path, about: Any) -> dict[str, Any]:
    if not isinstance(about, dict) or not {"format", "epoch", "score", "extra", "digest"} <= about.keys():
        raise DataError(
            f"read '{path}'", "it holds arrays, but was not written by atomloom", "Name a checkpoint of an atomloom run"
        )
    if about["format"] != FORMAT:
        raise DataError(
            f"read '{path}'",
            f"it has format {about['format']} (of atomloom {about.get('version')}), and this one reads {FORMAT}",
            "Use the atomloom that wrote it, or a newer one",
        )
    return about


def _damaged(path: Path, found: str) -> DataError:
    return DataError(f"read '{path}'", found, "Restore it from a copy, or delete it")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
