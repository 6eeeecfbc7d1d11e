"""The options of the model; JAX is not needed to list them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atomloom.experiment.problems import Problem
from atomloom_physnet.d3.damping import FUNCTIONALS, Damping, Dispersion, Functional

Count = Annotated[int, Meta(ge=1)]
Length = Annotated[float, Meta(gt=0)]
Conditioning = Literal["attention", "embedding", "none"]
Backbone = Literal["scalar-vector", "physnet"]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a potential that knows charge and spin."""

    features: Annotated[Count, Meta(description="features of each atom")] = 64
    layers: Annotated[Count, Meta(description="rounds of messages between atoms")] = 2
    backbone: Annotated[
        Backbone, Meta(description="messages of scalars and vectors, or the invariant modules of PhysNet")
    ] = "scalar-vector"
    basis_functions: Annotated[Count, Meta(description="radial functions of a distance")] = 16
    cutoff: Annotated[Length, Meta(description="distance beyond which atoms send no messages, in angstrom")] = 5.0

    charge_min: Annotated[int, Meta(description="least total charge, in e")] = -2
    charge_max: Annotated[int, Meta(description="largest total charge, in e")] = 2
    spin_min: Annotated[Count, Meta(description="least multiplicity 2S+1")] = 1
    spin_max: Annotated[Count, Meta(description="largest multiplicity 2S+1")] = 5
    conditioning: Annotated[
        Conditioning, Meta(description="how atoms learn of charge and multiplicity: spread by attention, from tables")
    ] = "attention"
    charge_embed_dim: Annotated[Count, Meta(description="numbers that a table keeps for a charge")] = 16
    spin_embed_dim: Annotated[Count, Meta(description="numbers that a table keeps for a multiplicity")] = 16
    assume_charge: Annotated[
        int | None, Meta(description="total charge of all frames, for data that do not say it, in e")
    ] = None
    assume_spin: Annotated[
        Count | None, Meta(description="multiplicity 2S+1 of all frames, for data that do not say it")
    ] = None

    level_heads: Annotated[
        bool, Meta(description="a readout of its own for each level of theory, beside energies of the elements")
    ] = False

    coulomb: Annotated[bool, Meta(description="let the atomic charges act on one another")] = True
    coulomb_damping: Annotated[Length, Meta(description="distance below which that is damped, in angstrom")] = 4.0
    coulomb_cutoff: Annotated[
        Length | None, Meta(description="distance at which it ends, in angstrom; periodic frames need one")
    ] = None
    repulsion: Annotated[bool, Meta(description="add the repulsion of nuclei at short distances (ZBL)")] = True
    repulsion_cutoff: Annotated[Length, Meta(description="distance at which it ends, in angstrom")] = 1.5

    dispersion: Annotated[Literal["none", "d3"], Meta(description="add the dispersion correction D3(BJ)")] = "none"
    d3_functional: Annotated[Functional | None, Meta(description="functional that D3 is damped for")] = None
    d3_damping: Annotated[
        tuple[float, float, float, float] | None,
        Meta(description="s6, s8, a1 and a2 in bohr, in place of those of a functional"),
    ] = None
    d3_three_body: Annotated[bool, Meta(description="add the three-body term of D3, for molecules alone")] = False
    d3_cutoff: Annotated[
        Length | None, Meta(description="distance at which D3 ends, in angstrom; periodic frames need one")
    ] = None

    def problems(self) -> Iterator[Problem]:
        """Ranges that are empty, assumed states outside of them, distances and terms that contradict each other."""
        for what in ("charge", "spin"):
            low, high = getattr(self, f"{what}_min"), getattr(self, f"{what}_max")
            assumed = getattr(self, f"assume_{what}")
            if low > high:
                found = f"is {low}, and `{what}_max` is {high}"
                yield Problem((f"{what}_min",), found, "Give the least one first")
            elif assumed is not None and not low <= assumed <= high:
                found = f"is {assumed}, and the range goes from {low} to {high}"
                yield Problem((f"assume_{what}",), found, f"Widen it with `{what}_min` or `{what}_max`")
        if self.coulomb_cutoff is not None and self.coulomb_damping > self.coulomb_cutoff:
            found = f"is {self.coulomb_damping:g}, beyond `coulomb_cutoff` = {self.coulomb_cutoff:g}"
            yield Problem(("coulomb_damping",), found, "Give a damping distance of at most the cutoff")
        if self.dispersion == "d3":
            yield from self._problems_of_d3()

    def _problems_of_d3(self) -> Iterator[Problem]:
        named = ", ".join(FUNCTIONALS)
        if self.d3_functional is None and self.d3_damping is None:
            found = "is missing: nothing says what D3 shall be damped for"
            yield Problem(("d3_functional",), found, f"Name one of {named}, or give s6, s8, a1, a2 as `d3_damping`")
        if self.d3_functional is not None and self.d3_damping is not None:
            yield Problem(("d3_damping",), "and `d3_functional` exclude each other", "Keep one of them")
        if self.d3_three_body and self.d3_cutoff is not None:
            found = "and `d3_cutoff` exclude each other: triples are looked for among all pairs of a molecule"
            yield Problem(("d3_three_body",), found, "Keep one of them; periodic frames have the two-body term alone")

    @property
    def d3(self) -> Dispersion | None:
        """The dispersion correction, if there shall be one."""
        if self.dispersion == "none":
            return None
        given = self.d3_damping
        damping = FUNCTIONALS[self.d3_functional] if self.d3_functional else Damping(*given) if given else None
        assert damping is not None, "options without either are refused"
        return Dispersion(damping, self.d3_three_body, self.d3_cutoff)

    @property
    def reach(self) -> float:
        """How far pairs of atoms matter, in angstrom; infinity where all of them do.

        >>> Config(coulomb=False).reach, Config().reach, Config(coulomb_cutoff=8.0).reach
        (5.0, inf, 8.0)
        """
        far = {"coulomb_cutoff": self.coulomb, "d3_cutoff": self.dispersion == "d3"}
        ends = [getattr(self, name) for name, there in far.items() if there]
        near = max(self.cutoff, self.repulsion_cutoff if self.repulsion else 0.0)
        return max(near, *(math.inf if end is None else end for end in ends), 0.0)
