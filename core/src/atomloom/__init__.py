"""Read any molecular or crystallographic data set, harmonise its fields, fit a model to it and judge the result.

The names below are all that most users and plugins need. Each is imported on first use, so that ``import atomloom``
itself costs next to nothing, and so that the module of a plugin that imports its specs from here stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

_HOMES = {
    "batching": ("PaddedBatch",),
    "data": ("Batch", "Dataset"),
    "errors": (
        "AmbiguousData",
        "AmbiguousName",
        "AtomloomError",
        "ConfigError",
        "DataError",
        "InputError",
        "PluginError",
        "RunError",
        "RunFailed",
        "TargetError",
        "UnitError",
        "UnknownName",
    ),
    "harmonizing": ("harmonize",),
    "hooks": ("hookimpl",),
    "model": ("Backend", "Model"),
    "plugin": ("Plugin",),
    "readers": ("read",),
    "report": ("Report",),
    "runs": ("Run",),
    "specs": (
        "BackendSpec",
        "CommandSpec",
        "DemoSpec",
        "Field",
        "HarmonizerSpec",
        "LossSpec",
        "Matches",
        "ModelSpec",
        "PostSpec",
        "Preset",
        "ReaderSpec",
        "RendererSpec",
        "WriterSpec",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

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


if not TYPE_CHECKING:  # or a type checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'atomloom' has no attribute {name!r}")
        from importlib import import_module

        if name == "registry":
            return import_module("atomloom.registry")
        if name == "__version__":
            from importlib_metadata import version

            return version("atomloom")
        value: object = getattr(import_module(f"atomloom.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
