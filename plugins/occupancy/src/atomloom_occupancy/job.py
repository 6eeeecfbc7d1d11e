"""The whole job of ``atomloom occupancy refine``: files in, files out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd

from atomloom.data.columns import Array
from atomloom.errors import DataError
from atomloom.report import Report, save
from atomloom.runs.targets import writing
from atomloom_occupancy.checking import check_report
from atomloom_occupancy.contacts import join_contacts
from atomloom_occupancy.displacement import displaced
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.map_files import NAMES, write_maps
from atomloom_occupancy.maps import peaks, write_mtz
from atomloom_occupancy.methods import check_model_method
from atomloom_occupancy.page import page
from atomloom_occupancy.page_of_evidence import evidence_section
from atomloom_occupancy.refining import How, Refined, prepare, refine
from atomloom_occupancy.refining_b import refine_with_b
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.reflections import check_same_crystal
from atomloom_occupancy.restraints import Wish, restrained
from atomloom_occupancy.result_table import result_table, write_table
from atomloom_occupancy.rounding import two_decimals
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import check_crystal, load_structure, occupancies_of
from atomloom_occupancy.twinning import check_twinning
from atomloom_occupancy.uncertainty import uncertainties
from atomloom_occupancy.viewers import write_viewers
from atomloom_occupancy.writing import write_anew, write_models

FEWEST = 100
"""Reflections that shells, free flags and scales need at least."""


@dataclass(frozen=True)
class Job:
    """What to refine.

    Args:
        model: a PDB or mmCIF file.
        data: an MTZ or SF-mmCIF file.
        out: a folder for what comes out.
        groups: a file of states, see `group_file`; else they are found in the model.
        labels: columns of the data.
        seed: of free flags, where there are none.
        how: options of the refinement.
        contacts: whether states that are found are joined where they are in contact.
        wishes: occupancies that are expected of some states.
        group_b: ``"iso"`` or ``"aniso"`` where the displacement of every state is refined as well.
        twinned: whether data that look twinned are accepted.
        evidence: whether joint occupancies are compared with separate ones, and partial waters with full ones.
    """

    model: Path
    data: Path
    out: Path
    groups: Path | None = None
    labels: str = ""
    seed: int = 1
    how: How = field(default_factory=How)
    contacts: bool = False
    wishes: tuple[Wish, ...] = ()
    evidence: bool = False
    group_b: str = ""
    twinned: bool = False


@dataclass(frozen=True)
class Done:
    """What came out: the report, the files, and the table of states with the refinement, where there was any."""

    report: Report
    files: tuple[Path, ...]
    table: pd.DataFrame | None
    refined: Refined | None = None


def run(job: Job) -> Done:
    """Read, refine and write; nothing is written before the refinement has settled."""
    asked = f"refine occupancies of '{job.model}' against '{job.data}'"
    structure = load_structure(job.model)
    check_crystal(structure, asked)
    check_model_method(structure, asked)
    network = _network(job, structure)
    data = load_reflections(job.data, labels=job.labels, seed=job.seed)
    check_same_crystal(structure, data, asked)
    if len(data) < FEWEST:
        raise DataError(asked, f"there are {len(data)} reflections", f"Give data of {FEWEST} at least")
    data = check_twinning(data, asked, accepted=job.twinned)
    if not network.states:
        return _unchanged(job, structure)
    crystal = prepare(structure, data, network, job.how)
    if job.group_b:
        return _written(job, structure, *refine_with_b(structure, crystal, network, job.how, job.group_b))
    return _written(job, structure, refine(crystal, network, job.how))


def _network(job: Job, structure: gemmi.Structure) -> Network:
    """The states: read, or found in the model."""
    if job.groups:
        network = read_groups(job.groups, structure)
    else:
        network = find_network(structure)
        network = join_contacts(structure, network) if job.contacts else network
    return restrained(network, job.wishes)


def _unchanged(job: Job, structure: gemmi.Structure) -> Done:
    """The model as it is, with a report that says why."""
    _folder(job.out)
    files = write_models(job.model, structure, _as_read(structure), job.out, "refined")
    report = check_report(structure, job.model.name)
    said = "There is nothing to refine: the model has neither altlocs nor partial occupancies."
    report = Report(report.title, report.sections, f"{said} {report.summary}")
    return Done(report, (*files, *save(report, job.out / "report")), None)


def _written(job: Job, structure: gemmi.Structure, refined: Refined, change: Array | None = None) -> Done:
    spread = uncertainties(refined)
    table = result_table(refined, spread, change)
    near = peaks(refined, structure)
    more = (evidence_section(structure, refined),) if job.evidence else ()
    report = page(job.model.name, structure, refined, (table, spread), near, more)
    values = two_decimals(refined.point[: refined.form.states], refined.network.sets)
    _folder(job.out)
    whole = refined.network.spread(_as_read(structure), values)
    if change is None:
        models = write_models(job.model, structure, whole, job.out, "refined")
    else:
        models = write_anew(displaced(structure, refined.network, change), whole, job.out, "refined")
    maps, listed = job.out / "refined.mtz", job.out / "occupancies.csv"
    write_mtz(refined, maps)
    write_table(table, listed)
    drawn = write_maps(refined, structure, job.out)
    viewers = write_viewers(job.out, models[1].name, maps.name, NAMES)
    return Done(report, (*models, maps, *drawn, listed, *viewers, *save(report, job.out / "report")), table, refined)


def _as_read(structure: gemmi.Structure) -> Array:
    return np.asarray(occupancies_of(structure))


def _folder(out: Path) -> None:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
