"""What behaves wrongly: each contribution is called after the one check that it fails."""

from __future__ import annotations

from collections.abc import Iterable

import atomloom
from atomloom.specs import CLAIMS

api = 1

BROKEN_MODELS = (*sorted(CLAIMS), "charge", "predicts", "repeatable", "saved", "fits")


def _model(name: str, claims: Iterable[str]) -> atomloom.ModelSpec:
    code = "".join(part.capitalize() for part in name.split("-"))
    return atomloom.ModelSpec(
        name=name,
        summary="A model",
        load=f"loomwrong.models:{code}",
        example="loomwrong.models:example",
        config="loomwrong.models:Config",
        needs=("Z", "R", "total_charge"),
        predicts=("E", "F", "mono"),
        losses={"energy": 1.0},
        claims=frozenset(claims),
    )


@atomloom.hookimpl
def atomloom_models() -> Iterable[atomloom.ModelSpec]:
    """One that is right, and all that are wrong."""
    return [_model("right", CLAIMS), *(_model(name, {name} & CLAIMS) for name in BROKEN_MODELS)]


@atomloom.hookimpl
def atomloom_readers() -> Iterable[atomloom.ReaderSpec]:
    """The right one is there for the writers, and known by its files."""
    for name in ("read", "schema", "slices", "source", "matches"):
        matches = {"read": atomloom.Matches(globs=("*.wrong",)), "matches": atomloom.Matches(globs=("*.other",))}
        yield atomloom.ReaderSpec(
            name=name,
            summary="Energies",
            load=f"loomwrong.code:{'read' if name == 'matches' else name}",
            example="loomwrong.code:file",
            matches=matches.get(name, atomloom.Matches()),
        )


@atomloom.hookimpl
def atomloom_writers() -> Iterable[atomloom.WriterSpec]:
    """Two that lose something."""
    for name in ("round_trip", "whole"):
        yield atomloom.WriterSpec(
            name=name,
            summary="Energies",
            load=f"loomwrong.code:{name}",
            example="loomwrong.code:energies",
            matches=atomloom.Matches(globs=("*.wrong",)),
        )


@atomloom.hookimpl
def atomloom_harmonizers() -> Iterable[atomloom.HarmonizerSpec]:
    """Two that do too much and too little."""
    for name, gives in (("pure", ()), ("gives", ("N",))):
        example = "loomwrong.code:energies"
        yield atomloom.HarmonizerSpec(
            name=name, summary="A rule", load=f"loomwrong.code:{name}", example=example, gives=gives
        )


@atomloom.hookimpl
def atomloom_losses() -> Iterable[atomloom.LossSpec]:
    """Four that are wrong and one that is not."""
    for name in ("squared", "truth", "padding", "gradient", "backends"):
        yield atomloom.LossSpec(
            name=name,
            summary="A loss",
            load=f"loomwrong.code:{name}",
            example="loomwrong.code:energies",
            needs=("E",),
            backends=("numpy", "differentiating"),
        )


@atomloom.hookimpl
def atomloom_backends() -> Iterable[atomloom.BackendSpec]:
    """One that differentiates and one that cannot add."""
    yield atomloom.BackendSpec(name="differentiating", summary="numpy", load="loomwrong.code:BACKEND")
    yield atomloom.BackendSpec(name="ops", summary="numpy", load="loomwrong.code:WRONG_BACKEND")


@atomloom.hookimpl
def atomloom_postprocessors() -> Iterable[atomloom.PostSpec]:
    """One that leaves traces."""
    example = "atomloom.testing.examples:ridge_run"
    yield atomloom.PostSpec(name="run_kept", summary="A note", load="loomwrong.code:run_kept", example=example)


@atomloom.hookimpl
def atomloom_renderers() -> Iterable[atomloom.RendererSpec]:
    """One that writes where it should not."""
    load, example = "loomwrong.code:renders", "loomwrong.code:report"
    yield atomloom.RendererSpec(name="renders", summary="A title", load=load, example=example, suffix=".wrong")


@atomloom.hookimpl
def atomloom_commands() -> Iterable[atomloom.CommandSpec]:
    """One without a word of help."""
    yield atomloom.CommandSpec(name="help", summary="Nothing", load="loomwrong.code:help")
