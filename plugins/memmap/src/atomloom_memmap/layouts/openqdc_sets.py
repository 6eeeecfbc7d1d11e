"""What openQDC's data sets hold and in which units, which their files do not say.

As of openQDC 0.1.2, https://github.com/valence-labs/openQDC (``openqdc/datasets``, a class for each data set).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Known(NamedTuple):
    """One of openQDC's data sets as it lies on disk.

    Args:
        energy: unit of the energies.
        distance: unit of the positions; that of forces is energy over distance.
        methods: those of the energies, in their order; empty where it has too many to name, or names none.
        unnamed: how many methods there are where they have no names here.
        forces: the numbers of the methods that have forces, in the order of the forces.
        scale: what openQDC multiplies the stored forces by: -1 where these are gradients.
        charged: whether formal charges are known; where they are not openQDC stores zeros.
        holds: what the energies are.
        single: whether they are float32 and not float64.
    """

    energy: str
    distance: str = "angstrom"
    methods: tuple[str, ...] = ()
    unnamed: int = 0
    forces: tuple[int, ...] = ()
    scale: float = 1.0
    charged: bool = False
    holds: str = "energies"
    single: bool = False

    @property
    def columns(self) -> int:
        """How many methods there are; 0 where that is not known."""
        return len(self.methods) or self.unnamed


def _interaction(*methods: str) -> Known:
    """A set of interaction energies of dimers, which are all in single precision."""
    return Known("kcal/mol", methods=methods, holds="interaction_energies", single=True)


def _sapt(level: str) -> tuple[str, ...]:
    """An energy of interaction and its parts, as SAPT gives them."""
    parts = ("es", "ex", "exs2", "ind", "exind", "disp", "exdisp_os", "exdisp_ss", "delta_hf")
    return (level, *(f"{level} {part}" for part in parts))


def _splinter(basis: str) -> tuple[str, ...]:
    """An energy of interaction and its parts in a basis, without scaling and with it."""
    parts = ("", " es", " ex", " ind", " disp")
    return tuple(f"sapt0/{basis}{part} {scaling}" for scaling in ("unscaled", "scaled") for part in parts)


_ANI = ("wb97x/6-31g*",)
_CCX = (
    "ccsd(t)/cbs",
    "ccsd(t)/cc-pvdz correlation",
    "ccsd(t)/cc-pvtz correlation",
    "tccsd(t)/cc-pvdz correlation",
)
_DES = ("mp2/cc-pvqz", "mp2/cc-pvtz", "mp2/cbs")
_DES370K = ("mp2/cc-pvdz", *_DES, "ccsd(t)/cc-pvdz", "ccsd(t)/cbs", "ccsd(t)/nn", *_sapt("sapt0/aug-cc-pwcvxz"))
_PBE = ("pbe/def2-tzvp",)
_PBE0_MBD = ("pbe0+mbd/def2-tzvppd",)
_SPICE = ("wb97m-d3(bj)/def2-tzvppd",)
_QM7X = ("pbe0/def2-tzvp", "dft3b")
_QMUGS = ("gfn2_xtb", "wb97x-d/def2-svp")

SETS: Final = {
    "alchemy": Known("hartree", methods=_ANI, charged=True),
    "ani1": Known("hartree", "bohr", _ANI),
    "ani1x": Known(
        "hartree",
        methods=(
            "hf/cc-pvdz",
            "hf/cc-pvqz",
            "hf/cc-pvtz",
            "mp2/cc-pvdz",
            "mp2/cc-pvqz",
            "mp2/cc-pvtz",
            "wb97x/6-31g*",
            "wb97x/cc-pvtz",
        ),
        forces=(6, 7),
        scale=0.529177249,
    ),
    "ani1ccx": Known("hartree", methods=_CCX),
    "ani1ccx_v2": Known("hartree", methods=(*_CCX, "pm6", "gfn2_xtb")),
    "ani2x": Known("hartree", methods=_ANI, forces=(0,)),
    "comp6": Known(
        "kcal/mol",
        methods=(
            "wb97x/6-31g*",
            "b3lyp-d3(bj)/def2-tzvp",
            "b3lyp/def2-tzvp",
            "hf/def2-tzvp",
            "pbe-d3(bj)/def2-tzvp",
            "pbe/def2-tzvp",
            "svwn/def2-tzvp",
        ),
        forces=(0,),
    ),
    "des370k_interaction": _interaction(*_DES370K),
    "des5m_interaction": _interaction(*_DES, "ccsd(t)/nn", *_sapt("sapt0/aug-cc-pwcvxz")),
    "des_s66": _interaction(*_DES370K),
    "des_s66x8": _interaction(*_DES370K),
    "gdml": Known("kcal/mol", methods=("ccsd/cc-pvdz", "ccsd(t)/cc-pvdz", *_PBE), forces=(0, 1, 2)),
    "geom": Known("hartree", methods=("gfn2_xtb",), charged=True),
    "iso_17": Known("eV", methods=_PBE, forces=(0,)),
    "l7": _interaction(
        "qcisd(t)/cbs", "dlpno-ccsd(t)", "mp2/cbs", "mp2c/cbs", "fixed", "dlpno-ccsd(t0)", "lno-ccsd(t)", "fn-dmc"
    ),
    "md22": Known("kcal/mol", methods=_PBE, forces=(0,)),
    "mddataset": Known("eV", methods=_PBE0_MBD),
    "metcalf": _interaction(*("sapt0/jun-cc-pvdz" + part for part in ("", " es", " ex", " ind", " disp"))),
    "molecule3d": Known("eV", methods=("b3lyp/6-31g*",), charged=True),
    "multixcqm9": Known("eV", unnamed=229),
    "multixcqm9_v2": Known("eV", unnamed=230),
    # openQDC writes these energies as float64 and reads them as float32, so a file of float32 has to be named as such.
    "nabladft": Known("hartree", "bohr", ("wb97x-d/def2-svp",)),
    "orbnet_denali": Known("hartree", methods=("wb97x-d3/def2-tzvp", "gfn1_xtb")),
    "proteinfragments": Known("eV", methods=_PBE0_MBD),
    "pubchemqc_b3lyp": Known("hartree", methods=("b3lyp/6-31g*",), single=True),
    "pubchemqc_pm6": Known("hartree", methods=("pm6",), single=True),
    "qm1b": Known("eV", "bohr", ("b3lyp/sto-3g",)),
    "qm1b_small": Known("eV", "bohr", ("b3lyp/sto-3g",)),
    "qm7": Known("hartree", "bohr", unnamed=80),
    "qm7b": Known("hartree", "bohr", unnamed=76),
    "qm7x": Known("eV", methods=_QM7X, forces=(0,)),
    "qm7x_v2": Known("eV", methods=(*_QM7X, "pm6"), forces=(0,)),
    "qm8": Known("hartree", "bohr", unnamed=8, charged=True, holds="excitation_energies"),
    "qm9": Known("hartree", "bohr", unnamed=9),
    "qmugs": Known("hartree", methods=_QMUGS, charged=True),
    "qmugs_v2": Known("hartree", methods=(*_QMUGS, "pm6"), charged=True),
    "revmd17": Known("kcal/mol", methods=_PBE, forces=(0,)),
    "scanwaterclusters": Known("hartree", unnamed=19),
    "sn2_rxn": Known("eV", methods=("dsd-blyp-d3(bj)/def2-tzvp",), forces=(0,)),
    "solvated_peptides": Known("eV", methods=("revpbe-d3(bj)/def2-tzvp",), forces=(0,)),
    "spice": Known("hartree", "bohr", _SPICE, forces=(0,), scale=-1.0, charged=True),
    "spicev2": Known("hartree", "bohr", _SPICE, forces=(0,), scale=-1.0, charged=True),
    "spice_vl2": Known("hartree", "bohr", (*_SPICE, "gfn2_xtb", "pm6"), forces=(0,), scale=-1.0, charged=True),
    "splinter": _interaction(*_splinter("jun-cc-pv(d+d)z"), *_splinter("aug-cc-pv(d+d)z")),
    "tmqm": Known("hartree", methods=("tpssh/def2-tzvp",)),
    "transition1x": Known("eV", methods=_ANI, forces=(0,)),
    "vqm24": Known("hartree", methods=("wb97x-d3/cc-pvdz",)),
    "waterclusters3_30": Known("kcal/mol", methods=("ttm2.1-f",)),
    "x40": _interaction("ccsd(t)/cbs", "mp2/cbs", "dccsd(t)/hadz", "dccsd(t)/hatz", "mp2.5/cbs(adz)"),
}
"""By the name of the data set, which is that of its folder."""
