"""`Plugin`: the typed way to write a plugin.

The methods are named as the hooks of `atomloom.hooks`. Those that a subclass overrides are its implementations, so a
type checker sees a wrong return type and a misspelt ``@override``; core sees a misspelt name, since an unknown public
method of a plugin is reported. Helper methods start with an underscore.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from atomloom.runs import Run
    from atomloom.specs import (
        BackendSpec,
        CommandSpec,
        DemoSpec,
        Field,
        HarmonizerSpec,
        LossSpec,
        ModelSpec,
        PostSpec,
        ReaderSpec,
        RendererSpec,
        WriterSpec,
    )


class Plugin:
    """Base of typed plugins; the entry point names the subclass, as ``"atomloom_mine.plugin:Mine"``.

    >>> from atomloom.specs import CommandSpec
    >>> class Mine(Plugin):
    ...     api = 1
    ...
    ...     def atomloom_commands(self) -> Iterable[CommandSpec]:
    ...         return [CommandSpec(name="greet", summary="Say hello", load="atomloom_mine.cli:greet")]
    """

    api: ClassVar[int]
    """Version 1 of the plugin interface is the one that the plugin was written for."""

    def atomloom_fields(self) -> Iterable[Field]:
        """Fields of the data contract, beside the canonical ones."""
        return ()

    def atomloom_readers(self) -> Iterable[ReaderSpec]:
        """Readers of file formats."""
        return ()

    def atomloom_writers(self) -> Iterable[WriterSpec]:
        """Writers of file formats."""
        return ()

    def atomloom_harmonizers(self) -> Iterable[HarmonizerSpec]:
        """Rules that make a data set canonical."""
        return ()

    def atomloom_models(self) -> Iterable[ModelSpec]:
        """Models."""
        return ()

    def atomloom_losses(self) -> Iterable[LossSpec]:
        """Losses."""
        return ()

    def atomloom_postprocessors(self) -> Iterable[PostSpec]:
        """Judgements of a finished run."""
        return ()

    def atomloom_backends(self) -> Iterable[BackendSpec]:
        """Array libraries with a way to train."""
        return ()

    def atomloom_commands(self) -> Iterable[CommandSpec]:
        """Subcommands of ``atomloom``."""
        return ()

    def atomloom_demos(self) -> Iterable[DemoSpec]:
        """Small complete jobs for ``atomloom demo``."""
        return ()

    def atomloom_renderers(self) -> Iterable[RendererSpec]:
        """Renderers of reports."""
        return ()

    def atomloom_run_started(self, run: Run) -> None:
        """Called once when a run starts or resumes."""

    def atomloom_steps_finished(self, run: Run, block: Mapping[str, Any]) -> None:
        """Called with a block of optimisation steps after their metrics were fetched."""

    def atomloom_run_finished(self, run: Run, outcome: str) -> None:
        """Called once when a run ends."""
