"""What atomloom-report brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import DemoSpec, RendererSpec, hookimpl

api = 1


@hookimpl
def atomloom_renderers() -> Iterable[RendererSpec]:
    """The page and the plots."""
    yield RendererSpec(
        name="html",
        summary="One page that needs no network: interactive plots, sortable tables, light and dark",
        load="atomloom_report.html:render",
        example="atomloom_report.gallery:report",
        suffix=".html",
    )
    yield RendererSpec(
        name="plots",
        summary="Every figure as PNG and SVG, for print",
        load="atomloom_report.printed:render",
        example="atomloom_report.gallery:report",
        suffix=".png",
    )


@hookimpl
def atomloom_demos() -> Iterable[DemoSpec]:
    """The gallery."""
    yield DemoSpec(
        name="report",
        summary="A gallery of all that a report can show (a few seconds)",
        load="atomloom_report.gallery:demo",
    )
