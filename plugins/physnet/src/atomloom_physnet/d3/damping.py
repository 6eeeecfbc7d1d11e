"""How dispersion fades between atoms that are near: parameters that were fitted for each functional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args


@dataclass(frozen=True)
class Damping:
    """The parameters of Becke and Johnson's damping.

    Args:
        s6, s8: factors of the terms with 1/r^6 and 1/r^8.
        a1, a2: the radius of a pair is ``a1 sqrt(C8 / C6) + a2``, with a2 in bohr.
    """

    s6: float
    s8: float
    a1: float
    a2: float


@dataclass(frozen=True)
class Dispersion:
    """What is computed.

    Args:
        damping: of the functional.
        three_body: add the energy of three dipoles (Axilrod, Teller, Muto), for lists of all pairs alone.
        cutoff: where pairs end, in angstrom; None for lists of all pairs.
    """

    damping: Damping
    three_body: bool = False
    cutoff: float | None = None


Functional = Literal[
    "b3lyp", "b97-d", "blyp", "bp86", "cam-b3lyp", "hf", "hse06", "pbe", "pbe0", "pw6b95", "r2scan", "revpbe",
    "revpbe0", "scan", "tpss", "tpssh", "wb97m-v", "wb97x-v",
]  # fmt: skip

_S8_A1_A2: dict[Functional, tuple[float, float, float]] = {
    "b3lyp": (1.9889, 0.3981, 4.4211),
    "b97-d": (2.2609, 0.5545, 3.2297),
    "blyp": (2.6996, 0.4298, 4.2359),
    "bp86": (3.2822, 0.3946, 4.8516),
    "cam-b3lyp": (2.0674, 0.3708, 5.4743),
    "hf": (0.9171, 0.3385, 2.8830),
    "hse06": (2.310, 0.383, 5.685),
    "pbe": (0.7875, 0.4289, 4.4407),
    "pbe0": (1.2177, 0.4145, 4.8593),
    "pw6b95": (0.7257, 0.2076, 6.3750),
    "r2scan": (0.78981345, 0.49484001, 5.73083694),
    "revpbe": (2.3550, 0.5238, 3.5016),
    "revpbe0": (1.7588, 0.4679, 3.7619),
    "scan": (0.0, 0.538, 5.42),
    "tpss": (1.9435, 0.4535, 4.4752),
    "tpssh": (2.2382, 0.4529, 4.6550),
    "wb97m-v": (0.3908, 0.566, 3.128),
    "wb97x-v": (0.2641, 0.0, 5.4959),
}

FUNCTIONALS: dict[Functional, Damping] = {name: Damping(1.0, *others) for name, others in _S8_A1_A2.items()}
"""Parameters by functional, as published; ``wb97m-v`` and ``wb97x-v`` stand for these functionals less their VV10."""

assert set(FUNCTIONALS) == set(get_args(Functional)), "every name has parameters"
