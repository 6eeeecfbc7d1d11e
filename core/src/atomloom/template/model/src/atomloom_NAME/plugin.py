"""What atomloom-NAME brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import ModelSpec, hookimpl

api = 1


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """The model of this package: what it reads and gives, and what it claims to be."""
    yield ModelSpec(
        name="NAME",
        summary="Energies and forces from the density of neighbours around each atom",
        load="atomloom_NAME.model:EmbeddedAtoms",
        example="atomloom_NAME.model:example",
        config="atomloom_NAME.model:Config",
        needs=("Z", "R"),
        predicts=("E", "F"),
        backend="jax",
        losses={"energy": 1.0, "forces": 10.0},
        training={"learning_rate": 1e-2},
        claims=frozenset({"permutation", "rotation", "reflection", "translation", "padding", "batch", "conservative"}),
    )
