"""One experiment is one TOML file.

`load` reads it and tells everything that is wrong with path, line and nearest key; `dumps` writes it back,
`resolved` completes paths and defaults, `override` replaces single keys. What ``[model]`` and ``[training]`` hold is
up to plugins: `build` makes their structs, `describe` says which flags they have, and `from_flags` reads those.
"""

from __future__ import annotations

from atomloom.experiment.loading import load, loads
from atomloom.experiment.options import Option, build, describe, from_flags, plain
from atomloom.experiment.overriding import overridden, override
from atomloom.experiment.paths import resolved, resolved_batching
from atomloom.experiment.problems import AfterSet, AsFlags, InFile, Place, Problem
from atomloom.experiment.structs import Batching, Data, Experiment, Source, Split, Tracking
from atomloom.experiment.writing import dumps

__all__ = [
    "AfterSet",
    "AsFlags",
    "Batching",
    "Data",
    "Experiment",
    "InFile",
    "Option",
    "Place",
    "Problem",
    "Source",
    "Split",
    "Tracking",
    "build",
    "describe",
    "dumps",
    "from_flags",
    "load",
    "loads",
    "overridden",
    "override",
    "plain",
    "resolved",
    "resolved_batching",
]
