"""Which model a training is of, beyond the names and shapes of its arrays: a cutoff leaves no trace in these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from atomloom.errors import RunError
from atomloom.model import Model


def identity(model: Model[Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The class of a model, the version of the distribution that brings it, and its options, as plain data.

    Args:
        model: the model.
        config: the resolved experiment; its table ``model`` holds the options.
    """
    kind = type(model)
    name = f"{kind.__module__}:{kind.__qualname__}"
    return {"class": name, "version": _version(kind.__module__), "options": dict(config.get("model", {}))}


def check_same_model(saved: Mapping[str, Any], now: Mapping[str, Any], run: str) -> None:
    """Stops where a checkpoint is not of the model at hand.

    Raises:
        RunError: saying what differs.

    >>> check_same_model({"options": {"cutoff": 5.0}}, {"options": {"cutoff": 6.0}}, "first")
    Traceback (most recent call last):
    atomloom.errors.RunError: Cannot resume the run 'first': of its model, the option cutoff was 5.0 and is 6.0. Bring that model back, or start a new run with `init_from`.
    """  # noqa: E501  a message is one line
    found = "; ".join(_differences(saved, now))
    if found:
        raise RunError(
            f"resume the run '{run}'",
            f"of its model, {found}",
            "Bring that model back, or start a new run with `init_from`",
        )


def _differences(saved: Mapping[str, Any], now: Mapping[str, Any], kind: str = "") -> Iterator[str]:
    for name in dict.fromkeys((*saved, *now)):
        before, after = saved.get(name), now.get(name)
        if name == "options":
            yield from _differences(before or {}, after or {}, "option ")
        elif before != after:
            yield f"the {kind}{name} was {before} and is {after}"


def _version(module: str) -> str:
    """The version of the distribution that a module comes with; empty for a script."""
    package = module.partition(".")[0]
    try:
        return metadata.version(package)  # most are named alike, which is much faster to find
    except metadata.PackageNotFoundError:
        found = metadata.packages_distributions().get(package, [])
        return metadata.version(found[0]) if found else ""
