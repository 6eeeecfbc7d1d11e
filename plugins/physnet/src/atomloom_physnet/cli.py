"""``atomloom physnet``: what only potentials that know charge and spin can tell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from atomloom.cli.data_options import DataOptions, data_options, level_option, read_data, runs_option, watched
from atomloom.cli.output import echo_json, json_option, note, table

if TYPE_CHECKING:
    from atomloom.data import Dataset
    from atomloom.ensemble import Ensemble
    from atomloom.pipeline import Fitted
    from atomloom_physnet.gaps import Differences, Energies, Floats, Structure


@click.group()
def physnet() -> None:
    """Electronic states of molecules, from fitted potentials."""


@physnet.command()
@click.argument("structure")
@click.option("--run", "run_names", multiple=True, required=True, metavar="RUN", help="Fitted run; repeat for several.")
@runs_option
@click.option("--charge", type=int, metavar="INT", help="Of the molecule, in e; by default what STRUCTURE says.")
@click.option("--frame", type=click.IntRange(min=0), default=0, show_default=True, help="Which frame of STRUCTURE.")
@level_option
@click.option("--relax", is_flag=True, help="Relax each state for itself: adiabatic in place of vertical differences.")
@data_options
@json_option
def states(
    structure: str,
    run_names: tuple[str, ...],
    root: str,
    charge: int | None,
    frame: int,
    level: str | None,
    relax: bool,
    json_output: bool,
    **options: Any,
) -> None:
    """Ionisation energy, electron affinity and singlet-triplet gap of the molecule in STRUCTURE.

    From its geometry in all states that the runs have learnt. Of an ensemble, made by `train physnet --ensemble 4`,
    numbers are the means of its members with a standard uncertainty, calibrated as its energies are; of several runs
    they are means with the standard deviation over them as their spread.
    """
    from atomloom.ensemble import loaded
    from atomloom.runs import Run
    from atomloom.runs.history import find
    from atomloom_physnet.gaps import differences

    with watched():
        dataset = read_data([structure], DataOptions(**options)).dataset
        molecule, own = _molecule(dataset, frame, charge)
        potentials = [loaded(Run.open(find(name, Path(root)).path)) for name in run_names]
        members, width = _members(potentials)
        found = differences(members, molecule, own, _energies(relax, level))
    told = _Told(width)
    if json_output:
        echo_json(_as_json(found, own, relax, told))
        return
    spread, kind = f"{told.spread} (eV)", "adiabatic" if relax else "vertical"
    table(("state", "above the lowest (eV)", spread), [(_named(*s), *told.text(e)) for s, e in found.energies.items()])
    click.echo()
    table(("difference", "eV", spread), [(f"{kind} {name}", *told.text(gap)) for name, gap in found.gaps.items()])
    note(f"Of a molecule of charge {own} in '{structure}', by {len(members)} run{'s' if len(members) > 1 else ''}.")


@physnet.command()
@click.argument("run_name", metavar="RUN")
@runs_option
@click.option("--out", required=True, metavar="FILE.zip", help="The file to write.")
@click.option("--licence", required=True, metavar="FILE", help="Text of the licence of the fitted parameters.")
@level_option
@click.option("--overwrite", is_flag=True, help="Replace FILE.zip if it exists.")
def export(run_name: str, root: str, out: str, licence: str, level: str | None, overwrite: bool) -> None:
    """Write RUN's potential into one file that runs with JAX alone, with a card, a licence and a script to call it."""
    from atomloom.errors import ConfigError
    from atomloom.pipeline import Fitted
    from atomloom.runs import Run
    from atomloom.runs.history import find
    from atomloom_physnet.exporting import exported

    target, text = Path(out), Path(licence)
    if target.exists() and not overwrite:
        raise ConfigError(f"write '{target}'", "it exists", "Give another name, or --overwrite")
    if not text.is_file():
        raise ConfigError(f"export with the licence in '{text}'", "there is no such file", "Name a file with its text")
    run = Run.open(find(run_name, Path(root)).path)
    with watched():
        about = {"run": run.name, "data": run.provenance["data"]}
        exported(Fitted.load(run), target, about=about, licence=text.read_text(encoding="utf-8"), level=level)
    note(f"The potential of {run.name} is in '{target}'; its use.py shows how to call it.")


def _energies(relax: bool, level: str | None) -> Energies:
    from importlib.util import find_spec

    from atomloom.errors import ConfigError
    from atomloom_physnet.gaps import vertical

    if not relax:
        return partial(vertical, level=level)
    if find_spec("ase") is None:
        raise ConfigError(
            "relax states", "ase is not installed", 'Install it with `pip install "atomloom-physnet[ase]"`'
        )
    from atomloom_physnet.relaxing import adiabatic

    return partial(adiabatic, level=level)


def _molecule(dataset: Dataset, frame: int, charge: int | None) -> tuple[Structure, int]:
    """One frame, and the charge that was given or else is said by the file."""
    from atomloom.errors import DataError
    from atomloom.harmonizing import require
    from atomloom_physnet.gaps import Structure

    require(dataset, ("Z", "R"), "compare the states of a molecule")
    fields = dataset.take([frame]).frame(0)
    if charge is None and "total_charge" not in fields:
        found = "nothing says the charge of the molecule"
        raise DataError("compare the states of a molecule", found, "Give it with --charge, such as --charge 0")
    own = int(fields["total_charge"]) if charge is None else charge
    return Structure(fields["Z"], fields["R"]), own


def _named(charge: int, multiplicity: int) -> str:
    """A state in words.

    >>> _named(1, 2), _named(0, 7)
    ('+1 doublet', '0 multiplicity 7')
    """
    words = ("singlet", "doublet", "triplet", "quartet", "quintet")
    word = words[multiplicity - 1] if multiplicity <= len(words) else f"multiplicity {multiplicity}"
    return f"{charge:+d} {word}" if charge else f"0 {word}"


class _Told(NamedTuple):
    """How values of several members are told: their mean, and how far they differ.

    Args:
        width: what makes of the standard deviation of members a standard uncertainty; None where that is not known.
    """

    width: float | None

    @property
    def spread(self) -> str:
        """What the second number is."""
        return "spread" if self.width is None else "uncertainty"

    def numbers(self, values: Floats) -> tuple[float, float | None]:
        """Both numbers; there is no spread of one."""
        return float(values.mean()), float(values.std(ddof=1)) * (self.width or 1.0) if len(values) > 1 else None

    def text(self, values: Floats) -> tuple[str, str]:
        """Both in digits.

        >>> import numpy as np
        >>> _Told(2.0).text(np.array([1.0, 2.0, 3.0]))
        ('2.000', '2.000')
        """
        mean, spread = self.numbers(values)
        return f"{mean:.3f}", "–" if spread is None else f"{spread:.3f}"

    def json(self, values: Floats) -> dict[str, float | None]:
        """Both by name."""
        return dict(zip(("mean", self.spread), self.numbers(values), strict=True))


def _members(potentials: Sequence[Fitted | Ensemble]) -> tuple[list[Fitted], float | None]:
    """All members of all runs; and of a single calibrated ensemble what makes their spread an uncertainty."""
    from atomloom.ensemble import Ensemble

    members = [one for each in potentials for one in (each.members if isinstance(each, Ensemble) else (each,))]
    first = potentials[0]
    if len(potentials) == 1 and isinstance(first, Ensemble) and "E" in first.calibration.scales:
        return members, first.calibration.width("E")
    return members, None


def _as_json(found: Differences, charge: int, relax: bool, told: _Told) -> dict[str, Any]:
    energies = [{"charge": q, "multiplicity": m, **told.json(e)} for (q, m), e in found.energies.items()]
    gaps = {name: told.json(values) for name, values in found.gaps.items()}
    return {"charge": charge, "adiabatic": relax, "unit": "eV", "states": energies, "differences": gaps}
