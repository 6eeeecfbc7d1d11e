"""Many structures refined side by side on Dask, each in a folder of its own, with one table of all.

A structure that is finished leaves ``done.json`` in its folder, so that a second run goes on with the others; one that
failed is tried again. What fails stops nothing else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from atomloom.errors import AtomloomError, ConfigError
from atomloom.progress import track
from atomloom.runs.atomic import atomic_file
from atomloom.runs.targets import writing
from atomloom_occupancy.job import Done, Job, run
from atomloom_occupancy.refining import How
from atomloom_occupancy.structure_list import Listed

if TYPE_CHECKING:
    from distributed import Client

DONE = "done.json"
SUMMARY = "summary.csv"

COLUMNS = (
    "name",
    "status",
    "states",
    "sets",
    "reflections",
    "r_work_before",
    "r_work",
    "r_free_before",
    "r_free",
    "nll_fall",
    "moved",
    "flat",
    "seconds",
    "error",
)
"""Of the table: ``moved`` is the largest change of an occupancy, ``flat`` counts states without an uncertainty that are
at no bound."""


@dataclass(frozen=True)
class Settings:
    """What is the same for all structures; see `Job`."""

    target: str = "ml"
    seed: int = 1
    contacts: bool = False


def refine_all(listed: Sequence[Listed], out: Path, settings: Settings, client: Client) -> pd.DataFrame:
    """Refine what is not done yet, and write the table of all structures anew after each of them.

    Args:
        listed: the structures.
        out: a folder, in which each gets one.
        settings: for all.
        client: of the Dask cluster, which sees the same files.
    """
    from distributed import as_completed

    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    rows = {each.name: row for each in listed if (row := _done(each, out, settings)) is not None}
    left = [each for each in listed if each.name not in rows]
    futures = {client.submit(refine_one, each, str(out), settings, pure=False): each for each in left}
    finished = as_completed(futures)
    for future in track(finished, total=len(futures), label="structures"):
        name = futures[future].name
        rows[name] = _failed(name, future.exception()) if future.status != "finished" else future.result()
        _write_summary(listed, rows, out)
    return _write_summary(listed, rows, out)


def refine_one(listed: Listed, out: str, settings: Settings) -> dict[str, Any]:
    """Refine one structure on a worker: its row of the table, also where it failed."""
    begun, folder = time.perf_counter(), Path(out) / listed.name
    groups = Path(listed.groups) if listed.groups else None
    how = How(settings.target)
    job = Job(
        Path(listed.model), Path(listed.data), folder, groups, listed.labels, settings.seed, how, settings.contacts
    )
    try:
        row = _row(listed.name, run(job))
    except Exception as error:  # whatever is wrong with one structure must not stop the others
        return _failed(listed.name, error)
    row["seconds"] = round(time.perf_counter() - begun, 2)
    with atomic_file(folder / DONE) as file:
        json.dump({"task": _task(listed, settings), "row": row}, file, indent=1)
    return row


def _row(name: str, done: Done) -> dict[str, Any]:
    refined, table = done.refined, done.table
    if refined is None or table is None:
        return {**dict.fromkeys(COLUMNS), "name": name, "status": "nothing to refine", "states": 0, "sets": 0}
    data, before, after = refined.crystal.data, refined.before, refined.after
    loose = table["esd_b_fixed"].isna() & (table["bound"] == "")
    return {
        "name": name,
        "status": "refined",
        "states": len(table),
        "sets": len(refined.network.sets),
        "reflections": len(data),
        "r_work_before": round(before.r_factor(data, data.work), 4),
        "r_work": round(after.r_factor(data, data.work), 4),
        "r_free_before": round(before.r_factor(data, data.free), 4),
        "r_free": round(after.r_factor(data, data.free), 4),
        "nll_fall": round(before.negative_log_likelihood - after.negative_log_likelihood, 3),
        "moved": round(float(np.abs(after.occupancy - before.occupancy).max()), 4),
        "flat": int(loose.sum()),
        "seconds": None,
        "error": None,
    }


def _failed(name: str, error: BaseException | None) -> dict[str, Any]:
    said = str(error) if isinstance(error, AtomloomError) else f"{type(error).__name__}: {error}"
    return {**dict.fromkeys(COLUMNS), "name": name, "status": "failed", "error": " ".join(said.split())}


def _done(listed: Listed, out: Path, settings: Settings) -> dict[str, Any] | None:
    """The row of a structure that an earlier run has finished with the same files and settings."""
    try:
        kept = json.loads((out / listed.name / DONE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return dict(kept["row"]) if kept.get("task") == _task(listed, settings) else None


def _task(listed: Listed, settings: Settings) -> dict[str, Any]:
    """What a structure was refined with: files with their sizes and times, and the settings."""
    files = [Path(each) for each in (listed.model, listed.data, listed.groups) if each]
    stamps = [[file.stat().st_size, file.stat().st_mtime_ns] if file.exists() else None for file in files]
    return {**asdict(listed), **asdict(settings), "stamps": stamps}


def _write_summary(listed: Sequence[Listed], rows: dict[str, dict[str, Any]], out: Path) -> pd.DataFrame:
    """The table of all structures in the order of the list, as far as they are finished."""
    table = pd.DataFrame([rows[each.name] for each in listed if each.name in rows], columns=list(COLUMNS))
    whole = {name: table[name].astype("Int64") for name in ("states", "sets", "reflections", "flat")}
    table = table.assign(**whole)
    with atomic_file(out / SUMMARY) as file:
        table.to_csv(file, index=False)
    return table


@contextmanager
def cluster(workers: int, scheduler: str) -> Iterator[Client]:
    """A client of the Dask scheduler at an address, or of `workers` processes that are started here."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        todo = "Install it with pip install 'atomloom-occupancy[dask]'"
        raise ConfigError("refine many structures", "Dask is not installed", todo) from error
    if scheduler:
        try:
            client = Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            found = f"there is no scheduler at {scheduler} ({error})"
            raise ConfigError("refine many structures", found, "Start one with `dask scheduler`") from error
        with client:
            yield client
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50) as local,
        Client(local) as client,
    ):
        yield client
