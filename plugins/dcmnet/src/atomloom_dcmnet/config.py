"""The options of the model; JAX is not needed to list them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atomloom.experiment.problems import Problem

Count = Annotated[int, Meta(ge=1)]
Length = Annotated[float, Meta(gt=0)]
Ratio = Annotated[float, Meta(ge=0)]


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a network that gives distributed charges.

    >>> msgspec.json.decode(msgspec.json.encode(ModelConfig(n_dcm=3)), type=ModelConfig) == ModelConfig(n_dcm=3)
    True
    """

    n_dcm: Annotated[Count, Meta(description="charges of each atom")] = 2
    features: Annotated[Count, Meta(description="features of each atom")] = 32
    layers: Annotated[Count, Meta(description="rounds of messages between atoms")] = 2
    basis_functions: Annotated[Count, Meta(description="radial functions of a distance")] = 16
    cutoff: Annotated[Length, Meta(description="distance beyond which atoms send no messages, in angstrom")] = 5.0
    d_max: Annotated[Length, Meta(description="how far a charge may be from its atom, in angstrom")] = 0.35

    conditioning: Annotated[
        Literal["none", "attention"],
        Meta(description="whether atoms learn of total charge and multiplicity by attention"),
    ] = "none"
    assume_charge: Annotated[
        int | None, Meta(description="total charge of all frames, for data that do not say it, in e")
    ] = None
    assume_spin: Annotated[
        Count | None, Meta(description="multiplicity 2S+1 of all frames, for data that do not say it")
    ] = None

    esp_memory: Annotated[Length, Meta(description="what the potential may take at a time, in MiB")] = 16.0
    esp_nearest: Annotated[
        Ratio, Meta(description="points nearer than so many van der Waals radii do not count, in training")
    ] = 1.2
    esp_farthest: Annotated[
        Length | None, Meta(description="points beyond so many van der Waals radii do not count")
    ] = None
    esp_largest: Annotated[
        Length | None, Meta(description="points whose potential is larger do not count, in hartree/e")
    ] = None
    esp_distance_power: Annotated[
        Ratio, Meta(description="points count by the power of their distance in van der Waals radii that this is")
    ] = 0.0

    def problems(self) -> Iterator[Problem]:
        """Limits that leave no point."""
        if self.esp_farthest is not None and self.esp_farthest <= self.esp_nearest:
            found = f"is {self.esp_farthest:g}, and `esp_nearest` is {self.esp_nearest:g}"
            yield Problem(("esp_farthest",), found, "Give it a larger number")
