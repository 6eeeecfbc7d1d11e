"""Every promise that a model can be held to, with when it applies and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atomloom.invariance import symmetries
from atomloom.invariance.additivity import charge, joins, size_consistent
from atomloom.invariance.gradient import conservative
from atomloom.invariance.trial import Deviation, Trial
from atomloom.specs import ModelSpec

Reason = Callable[[Trial], str]


@dataclass(frozen=True)
class Probe:
    """One promise.

    Args:
        name: what people call it, and the claim of a `ModelSpec` that makes the promise.
        promise: what holds, as a sentence.
        measure: the deviations, field by field.
        fitting: whether the promise means anything for a model of this spec.
        hindrance: why it cannot be measured on the data at hand, or an empty string.
        on_request: whether it is measured only for models that claim it, or have a certificate in their reports.
        implied: whether every model that it means anything for makes it, with no word about it.
    """

    name: str
    promise: str
    measure: Callable[[Trial], list[Deviation]]
    fitting: Callable[[ModelSpec], bool] = lambda spec: True
    hindrance: Reason = lambda trial: ""
    on_request: bool = False
    implied: bool = False

    def claimed_by(self, spec: ModelSpec) -> bool:
        """Whether the model makes this promise."""
        return self.implied or self.name in spec.claims

    def applies_to(self, spec: ModelSpec) -> bool:
        """Whether it is measured for a model of this spec."""
        return self.fitting(spec) and (not self.on_request or self.claimed_by(spec) or spec.certificate)

    def worst(self, trial: Trial) -> list[Deviation]:
        """The deviations, of each field the one that is furthest beyond its tolerance."""
        worst: dict[str, Deviation] = {}
        for each in self.measure(trial):
            known = worst.get(each.field)
            if known is None or not each.size / each.tolerance <= known.size / known.tolerance:
                worst[each.field] = each
        return list(worst.values())


def _predicts(*names: str) -> Callable[[ModelSpec], bool]:
    return lambda spec: set(names) <= set(spec.predicts)


def _knows_charges(spec: ModelSpec) -> bool:
    return "mono" in spec.predicts and "total_charge" in spec.needs


def _in_space(spec: ModelSpec) -> bool:
    return "R" in spec.needs


PROBES = (
    Probe(
        "permutation",
        "The order of the atoms does not matter: what belongs to an atom goes with it, all else stays.",
        symmetries.permutation,
        hindrance=symmetries.relabels,
    ),
    Probe(
        "translation",
        "A frame that is shifted as a whole keeps its energy, its forces and whatever is not a place.",
        symmetries.translation,
        fitting=_in_space,
    ),
    Probe(
        "rotation",
        "In a frame that is turned scalars stay, and vectors and tensors turn with it.",
        symmetries.rotation,
        fitting=_in_space,
    ),
    Probe(
        "reflection",
        "In a frame that is reflected scalars stay, and vectors and tensors are reflected with it.",
        symmetries.reflection,
        fitting=_in_space,
        on_request=True,
    ),
    Probe("padding", "Empty slots of a batch change nothing, however many there are.", symmetries.padding),
    Probe("batch", "What is predicted for a frame does not depend on the other frames of its batch.", symmetries.batch),
    Probe(
        "conservative",
        "Forces are the negative gradient of the energy, by finite differences.",
        conservative,
        fitting=_predicts("E", "F"),
    ),
    Probe(
        "charge",
        "The atomic charges of a frame add up to its total charge.",
        charge,
        fitting=_knows_charges,
        implied=True,
    ),
    Probe(
        "size-consistent",
        "Two frames that are far apart in one are what they were: energies and charges add up, atoms notice nothing.",
        size_consistent,
        fitting=_in_space,
        hindrance=joins,
        on_request=True,
    ),
)
"""In the order in which reports list them."""
