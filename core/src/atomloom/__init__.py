"""Read any molecular or crystallographic data set, harmonise its fields, fit a model to it and judge the result.

The names below are all that most users and plugins need. Each is imported on first use, so that ``import atomloom``
itself costs next to nothing, and so that the module of a plugin that imports its specs from here stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom import registry
    from atomloom.batching import PaddedBatch
    from atomloom.data import Batch, Dataset
    from atomloom.errors import (
        AmbiguousData,
        AmbiguousName,
        AtomloomError,
        ConfigError,
        DataError,
        InputError,
        PluginError,
        RunError,
        RunFailed,
        TargetError,
        UnitError,
        UnknownName,
    )
    from atomloom.harmonizing import harmonize
    from atomloom.hooks import hookimpl
    from atomloom.model import Backend, Model
    from atomloom.plugin import Plugin
    from atomloom.readers import read
    from atomloom.report import Report
    from atomloom.runs import Run
    from atomloom.specs import (
        BackendSpec,
        CommandSpec,
        DemoSpec,
        Field,
        HarmonizerSpec,
        LossSpec,
        Matches,
        ModelSpec,
        PostSpec,
        Preset,
        ReaderSpec,
        RendererSpec,
        WriterSpec,
    )

    __version__: str

__all__ = [
    "AmbiguousData",
    "AmbiguousName",
    "AtomloomError",
    "Backend",
    "BackendSpec",
    "Batch",
    "CommandSpec",
    "ConfigError",
    "DataError",
    "Dataset",
    "DemoSpec",
    "Field",
    "HarmonizerSpec",
    "InputError",
    "LossSpec",
    "Matches",
    "Model",
    "ModelSpec",
    "PaddedBatch",
    "Plugin",
    "PluginError",
    "PostSpec",
    "Preset",
    "ReaderSpec",
    "RendererSpec",
    "Report",
    "Run",
    "RunError",
    "RunFailed",
    "TargetError",
    "UnitError",
    "UnknownName",
    "WriterSpec",
    "__version__",
    "harmonize",
    "hookimpl",
    "read",
    "registry",
]

if not TYPE_CHECKING:
    _HOMES = {
        "AmbiguousData": "errors",
        "AmbiguousName": "errors",
        "AtomloomError": "errors",
        "Backend": "model",
        "BackendSpec": "specs",
        "Batch": "data",
        "CommandSpec": "specs",
        "ConfigError": "errors",
        "DataError": "errors",
        "Dataset": "data",
        "DemoSpec": "specs",
        "Field": "specs",
        "HarmonizerSpec": "specs",
        "InputError": "errors",
        "LossSpec": "specs",
        "Matches": "specs",
        "Model": "model",
        "ModelSpec": "specs",
        "PaddedBatch": "batching",
        "Plugin": "plugin",
        "PluginError": "errors",
        "PostSpec": "specs",
        "Preset": "specs",
        "ReaderSpec": "specs",
        "RendererSpec": "specs",
        "Report": "report",
        "Run": "runs",
        "RunError": "errors",
        "RunFailed": "errors",
        "TargetError": "errors",
        "UnitError": "errors",
        "UnknownName": "errors",
        "WriterSpec": "specs",
        "harmonize": "harmonizing",
        "hookimpl": "hooks",
        "read": "readers",
        "registry": "registry:",
    }
    _imported, __dir__ = lazily(__name__, _HOMES)

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib_metadata import version

            return version("atomloom")
        return _imported(name)
