"""What a check looks at: a plugin, or one of its contributions with its example."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from atomloom.registry import Contribution, PluginRecord, Registry, resolve

EXAMPLES = {
    "readers": "(folder, /) -> path of a tiny file or folder that it wrote there",
    "writers": "() -> a Dataset that the format can hold",
    "harmonizers": "() -> a Dataset with what it needs",
    "models": "() -> the struct of its options, and a Dataset that it can be fitted to",
    "losses": "() -> a Dataset with the fields that it compares",
    "postprocessors": "(folder, /) -> a Run that it made there, and a Dataset to judge it by",
    "renderers": "() -> a Report",
}
"""The kinds whose contributions have an example, and what it is called like and gives."""


@dataclass(frozen=True)
class Subject:
    """A plugin, or one of its contributions.

    Args:
        known: the registry that it is in.
        record: the plugin.
        contribution: None where a check is about the plugin as a whole.
        folder: an empty folder to work in.
    """

    known: Registry
    record: PluginRecord
    contribution: Contribution | None
    folder: Path

    @property
    def found(self) -> Contribution:
        """The contribution."""
        assert self.contribution is not None, "only checks of contributions ask"
        return self.contribution

    @property
    def spec(self) -> Any:
        """The spec of the contribution."""
        return self.found.spec

    @cached_property
    def loaded(self) -> Any:
        """What the spec loads."""
        return self.found.load()

    @cached_property
    def example(self) -> Any:
        """What the example gives, made anew for each check."""
        make: Callable[..., Any] = resolve(self.spec.example, whence=self.found.whence)
        wants_folder = EXAMPLES[self.found.kind].startswith("(folder")
        return make(self.folder) if wants_folder else make()


def takes(function: Any, count: int) -> bool:
    """Whether so many positional arguments can be given to a function.

    >>> takes(len, 1), takes(lambda a, /, *, b: a, 1)
    (True, False)
    """
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True
