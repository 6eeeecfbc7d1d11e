"""What atomloom-NAME brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import Field, HarmonizerSpec, hookimpl

api = 1


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """What some data sets hold in place of the energy."""
    yield Field(
        name="energy_per_atom",
        summary="Energy divided by the number of atoms",
        dims=("frame",),
        unit="eV",
        aliases=("e_per_atom", "E_atom"),
    )


@hookimpl
def atomloom_harmonizers() -> Iterable[HarmonizerSpec]:
    """The rule of this package, which runs once the fields that it needs are there."""
    yield HarmonizerSpec(
        name="NAME",
        summary="E from the energy per atom",
        load="atomloom_NAME.rules:total_energy",
        example="atomloom_NAME.rules:example",
        needs=("energy_per_atom", "Z"),
        gives=("E",),
    )
