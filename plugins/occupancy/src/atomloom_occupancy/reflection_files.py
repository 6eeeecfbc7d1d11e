"""Reads merged data from MTZ and SF-mmCIF files into `Reflections`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import ConfigError, DataError
from atomloom_occupancy import french_wilson
from atomloom_occupancy.free_flags import SEED, make_flags, read_flags
from atomloom_occupancy.friedel import Pair, pair_in_cif, pair_in_mtz, unfolded
from atomloom_occupancy.methods import check_data_method
from atomloom_occupancy.reflections import Reflections

MTZ_PAIRS = {"F": "amplitudes", "J": "intensities"}
"""Types of MTZ columns that hold observations."""

CIF_PAIRS = (
    ("F_meas_au", "F_meas_sigma_au", False),
    ("F_meas", "F_meas_sigma", False),
    ("intensity_meas", "intensity_sigma", True),
    ("F_squared_meas", "F_squared_sigma", True),
)
"""Items of SF-mmCIF that hold observations, the first that is there counts, and whether they are intensities."""

_CALCULATED = ("FC", "FWT", "DELFWT", "F-MODEL", "2FOFC", "FOFC", "PHWT", "DELF", "FCALC")


class Raw(NamedTuple):
    """A table as the file has it: observations (not yet amplitudes), and flags (n,) or None."""

    cell: gemmi.UnitCell
    group: gemmi.SpaceGroup | None
    hkl: Array
    value: Array
    sigma: Array
    intensities: bool
    flags: Array | None
    label: str


class Observations(NamedTuple):
    """The unique reflections of a file, as it has them.

    Args:
        cell: of the data.
        group: their space group.
        hkl: (reflections, 3), each in the asymmetric unit.
        value: (reflections,) amplitudes or intensities.
        sigma: (reflections,) their standard uncertainties; NaN where the file has none.
        intensities: which of both they are.
        free: (reflections,) True for those kept out of refinement; None where the file does not say.
        notes: what was decided on the way, in sentences.
    """

    cell: gemmi.UnitCell
    group: gemmi.SpaceGroup
    hkl: Array
    value: Array
    sigma: Array
    intensities: bool
    free: Array | None
    notes: tuple[str, ...]


def load_observations(path: str | Path, *, labels: str = "") -> Observations:
    """The amplitudes or intensities in an MTZ or SF-mmCIF file, gzipped or not.

    Args:
        path: the file.
        labels: ``"F,SIGF"``, the columns to take; else the first observations of the file.
    """
    path = Path(path)
    asked = f"read '{path}' as reflections"
    if not path.is_file():
        raise DataError(asked, "there is no such file", "Correct the path")
    raw = _guarded(_read_mtz if path.suffix.lower() == ".mtz" else _read_cif, path, labels, asked)
    if raw.group is None:
        raise DataError(asked, "it names no space group", "Add the space group to it")
    group = raw.group
    raw, notes = _unique(raw, group)
    _check_values(raw, asked)
    free, said = read_flags(raw.flags) if raw.flags is not None else (None, "")
    notes += [said] if said else []
    return Observations(raw.cell, group, raw.hkl, raw.value, raw.sigma, raw.intensities, free, tuple(notes))


def load_reflections(path: str | Path, *, labels: str = "", seed: int = SEED) -> Reflections:
    """The amplitudes in an MTZ or SF-mmCIF file, see `load_observations`; made of intensities where it has those.

    Args:
        path: the file.
        labels: of the observations.
        seed: of the free flags where the file has none.
    """
    found = load_observations(path, labels=labels)
    notes = list(found.notes)
    value, sigma, free = found.value, found.sigma, found.free
    if found.intensities:
        value, sigma = french_wilson.of_crystal(value, sigma, found.hkl, found.cell, found.group)
        notes.append(french_wilson.NOTE)
    if free is None:
        free, said = make_flags(len(found.hkl), seed)
        notes.append(said)
    return Reflections(found.cell, found.group, found.hkl, value, sigma, free, tuple(notes))


def _guarded(read: Callable[[Path, str, str], Raw], path: Path, labels: str, asked: str) -> Raw:
    try:
        return read(path, labels, asked)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(asked, str(error), "Check that its download finished, and give MTZ or SF-mmCIF") from error


def _read_mtz(path: Path, labels: str, asked: str) -> Raw:
    mtz = gemmi.read_mtz_file(str(path))
    if mtz.batches:
        raise DataError(asked, "its data are unmerged", "Merge them first, for example with AIMLESS")
    columns = {column.label: column for column in mtz.columns}
    guess = None if labels else _mtz_guess(mtz)
    pair = None if labels or guess else pair_in_mtz(mtz)
    if pair is not None:
        return _mtz_pair(mtz, pair)
    chosen = guess or _chosen(labels, list(columns), asked)
    kind = columns[chosen[0]].type
    if kind not in MTZ_PAIRS:
        found = f"the column {chosen[0]} has the type {kind}"
        raise ConfigError(asked, found, "Name amplitudes (type F) or intensities (type J)")
    flags: gemmi.Mtz.Column | None = mtz.rfree_column()  # its stub does not say None
    sigma = columns[chosen[1]].array if chosen[1] else np.full(mtz.nreflections, np.nan)
    hkl, value = mtz.make_miller_array(), columns[chosen[0]].array
    flagged = np.array(flags.array) if flags is not None else None
    return Raw(mtz.cell, mtz.spacegroup, hkl, value, sigma, kind == "J", flagged, chosen[0])


def _mtz_pair(mtz: gemmi.Mtz, pair: Pair) -> Raw:
    """Friedel pairs as rows of their own."""
    shared = {"hkl": np.array(mtz.make_miller_array())}
    flags: gemmi.Mtz.Column | None = mtz.rfree_column()  # its stub does not say None
    if flags is not None:
        shared["flags"] = np.array(flags.array)
    rows = unfolded(pair, lambda label: np.array(mtz.column_with_label(label).array), shared)
    found = rows["hkl"], rows["value"], rows["sigma"], pair.intensities, rows.get("flags")
    return Raw(mtz.cell, mtz.spacegroup, *found, pair.plus)


def _mtz_guess(mtz: gemmi.Mtz) -> tuple[str, str] | None:
    """The first observations: amplitudes or intensities with a column of their uncertainties behind them."""
    for kind in MTZ_PAIRS:
        for column, following in zip(mtz.columns, list(mtz.columns)[1:], strict=False):
            calculated = column.label.upper().startswith(_CALCULATED)
            if column.type == kind and following.type == "Q" and not calculated:
                return column.label, following.label
    return None


def _chosen(labels: str, known: list[str], asked: str) -> tuple[str, str]:
    if not labels:
        found = f"no column of amplitudes or intensities has uncertainties behind it among {' '.join(known)}"
        raise DataError(asked, found, "Name the columns with --labels F,SIGF")
    names = [name.strip() for name in labels.split(",")]
    missing = [name for name in names if name not in known]
    if missing or len(names) > 2:
        found = f"{missing[0]!r} is not among {' '.join(known)}" if missing else f"{labels!r} are {len(names)} names"
        raise ConfigError(asked, found, "Give two columns as --labels F,SIGF")
    return names[0], names[1] if len(names) > 1 else ""


def _read_cif(path: Path, labels: str, asked: str) -> Raw:
    blocks = gemmi.as_refln_blocks(gemmi.cif.read(str(path)))
    block = next((each for each in blocks if each.is_merged() and each.column_labels()), None)
    if block is None:
        raise DataError(asked, "it has no table of merged reflections", "Give a file with _refln items")
    check_data_method(block.block, asked)
    names = block.column_labels()
    hkl = np.array(block.make_miller_array())
    usable, flags = _cif_flags(block, names, len(hkl))
    pair = pair_in_cif(names)
    if not labels and pair is not None and not any(each[0] in names for each in CIF_PAIRS):
        return _cif_pair(block, pair, {"hkl": hkl, "usable": usable}, flags)
    if labels:
        value, sigma = _chosen(labels, names, asked)
        intensities = value.startswith(("intensity", "F_squared"))
    else:
        found = next((each for each in CIF_PAIRS if each[0] in names), None)
        if found is None:
            text = f"it has neither amplitudes nor intensities among {' '.join(names)}"
            raise DataError(asked, text, "Give a file with F_meas_au or intensity_meas")
        value, sigma, intensities = found
    values = block.make_float_array(value, np.nan)
    spread = block.make_float_array(sigma, np.nan) if sigma in names else np.full(len(hkl), np.nan)
    values = np.where(usable, values, np.nan)
    return Raw(block.cell, block.spacegroup, hkl, values, spread, intensities, flags, value)


def _cif_pair(block: gemmi.ReflnBlock, pair: Pair, shared: dict[str, Array], flags: Array | None) -> Raw:
    """Friedel pairs as rows of their own."""
    both = shared if flags is None else {**shared, "flags": flags}
    rows = unfolded(pair, lambda name: np.array(block.make_float_array(name, np.nan)), both)
    value = np.where(rows["usable"], rows["value"], np.nan)
    found = rows["hkl"], value, rows["sigma"], pair.intensities, rows.get("flags")
    return Raw(block.cell, block.spacegroup, *found, pair.plus)


def _cif_flags(block: gemmi.ReflnBlock, names: list[str], count: int) -> tuple[Array, Array | None]:
    """Which rows may be used, and flags: those of `status` where some are free, else those of `pdbx_r_free_flag`."""
    status = np.array([""] * count)
    if "status" in names:
        column = block.block.find_loop("_refln.status")
        status = np.array([gemmi.cif.as_string(each) for each in column])
    usable = ~np.isin(status, ["x", "-", "<", "h", "l"])
    if np.any(status == "f"):
        return usable, np.where(status == "f", 1.0, np.where(usable, 0.0, np.nan))
    if "pdbx_r_free_flag" in names:
        return usable, np.asarray(block.make_float_array("pdbx_r_free_flag", np.nan))
    return usable, None


def _check_values(raw: Raw, asked: str) -> None:
    if not len(raw.hkl):
        raise DataError(asked, f"{raw.label} has no value that can be used", "Name other columns with --labels")
    kind = "intensities" if raw.intensities else "amplitudes"
    if np.all(raw.value <= 0):
        raise DataError(asked, f"all {kind} {raw.label} are zero or negative", "Check where these data come from")
    if not raw.intensities and np.any(raw.value < 0):
        found = f"{int(np.sum(raw.value < 0))} of the amplitudes {raw.label} are negative"
        raise DataError(asked, found, "Give intensities, or correct the amplitudes")
    if raw.intensities and not np.all(raw.sigma > 0):
        raise DataError(asked, f"some intensities {raw.label} have no uncertainty", "Name them with --labels I,SIGI")


def _unique(raw: Raw, group: gemmi.SpaceGroup) -> tuple[Raw, list[str]]:
    """One row for each reflection of the asymmetric unit that symmetry allows; Friedel pairs are averaged."""
    operations, asu = group.operations(), gemmi.ReciprocalAsu(group)
    kept = np.isfinite(raw.value) & np.any(raw.hkl != 0, axis=1)
    kept &= ~np.asarray(operations.systematic_absences(np.ascontiguousarray(raw.hkl, dtype=np.int32)))
    kept &= ~((raw.sigma <= 0) & np.isfinite(raw.sigma))
    hkl = np.array([asu.to_asu(list(map(int, each)), operations)[0] for each in raw.hkl[kept]]).reshape(-1, 3)
    unique, first, owner = np.unique(hkl, axis=0, return_index=True, return_inverse=True)
    owner, value, sigma = owner.reshape(-1), raw.value[kept].astype(np.float64), raw.sigma[kept].astype(np.float64)
    count = np.bincount(owner, minlength=len(unique))
    mean = np.bincount(owner, value, len(unique)) / np.maximum(count, 1)
    spread = np.sqrt(np.bincount(owner, sigma**2, len(unique))) / np.maximum(count, 1)
    flags = raw.flags[kept][first] if raw.flags is not None else None
    notes = []
    if np.any(count > 1):
        notes.append(f"{int(np.sum(count > 1))} reflections were there more than once, as Friedel mates: averaged.")
    return raw._replace(hkl=unique, value=mean, sigma=spread, flags=flags), notes
