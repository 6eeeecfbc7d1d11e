"""What a run was made with and of: its speed, its machine, its data and its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from atomloom.report import Column, KeyFigure, KeyFigures, Section, Table
from atomloom.runs import Run, ensembles


class _Noted(NamedTuple):
    """How a fact that engines note (`Run.note`) is shown as a key figure."""

    name: str
    unit: str = ""
    factor: float | None = None
    note: str = ""


_NOTED = {
    "structures_per_second": _Noted("speed", "structures/s", note="training alone, without compiling"),
    "waiting_for_data": _Noted("waiting for data", "%", 100.0, "of the time of training"),
    "programs_compiled": _Noted("compiled programs", note="one for each shape of a batch"),
    "padding": _Noted("padding", "%", 100.0, "of the slots for atoms"),
    "parameters": _Noted("trained parameters"),
}

_OWN = {"started", "ended", "outcome", "pid", "host", "command_line", "versions", "epochs_before", "total", "reason"}
"""What every session says of itself; the rest was noted by the engine."""


def facts(run: Run) -> Section:
    """Key figures of the fit, and tables of where it comes from; it may be asked for before the session has ended."""
    provenance = run.provenance
    return Section(
        "Run",
        (
            KeyFigures(tuple(_figures(run, provenance["sessions"]))),
            _origin(provenance),
            _files(provenance),
            _versions(provenance["versions"]),
        ),
    )


def _figures(run: Run, sessions: list[Mapping[str, Any]]) -> Iterator[KeyFigure]:
    members = [Run.open(each.path) for each in ensembles.members(run.files)]
    epochs = sum(each.epochs_done for each in members) if members else run.epochs_done
    yield KeyFigure("epochs", epochs, note="of all members" if members else "")
    several = f"in {len(sessions)} sessions" if len(sessions) > 1 else ""
    yield KeyFigure("time", sum(map(_seconds, sessions)), "s", note=several)
    noted = sessions[-1] if sessions else {}
    for key, shown in _NOTED.items():
        if key in noted:
            value = noted[key] if shown.factor is None else noted[key] * shown.factor
            yield KeyFigure(shown.name, value, shown.unit, note=shown.note)


def _seconds(session: Mapping[str, Any]) -> float:
    """How long a session took; one that has no end is this one, or was killed at a time that nobody knows."""
    began = datetime.fromisoformat(session["started"])
    if session.get("ended"):
        return (datetime.fromisoformat(session["ended"]) - began).total_seconds()
    return (datetime.now(UTC) - began).total_seconds() if session.get("outcome") is None else 0.0


def _origin(provenance: Mapping[str, Any]) -> Table:
    sessions = provenance["sessions"]
    noted = {key: value for key, value in (sessions[-1] if sessions else {}).items() if key not in _OWN}
    platform = provenance.get("platform", {})
    rows = {
        "created": provenance.get("created"),
        "command": provenance.get("command_line"),
        **{key.replace("_", " "): value for key, value in noted.items() if key not in _NOTED},
        "system": platform.get("system"),
        **{f"seed of the {name}": value for name, value in provenance.get("seeds", {}).items()},
        "digest of the split": provenance.get("split", {}).get("digest"),
    }
    cells = tuple((name, _text(value)) for name, value in rows.items() if value not in (None, ""))
    return Table((Column("fact", kind="text"), Column("value", kind="text")), cells, title="Origin")


def _files(provenance: Mapping[str, Any]) -> Table:
    columns = (Column("file", kind="text"), Column("size", "bytes", kind="integer"), Column("fingerprint", kind="text"))
    rows = tuple((Path(one["path"]).name, one.get("bytes"), one.get("hash")) for one in provenance.get("data", ()))
    return Table(columns, rows, title="Files")


def _versions(versions: Mapping[str, str]) -> Table:
    return Table(
        (Column("package", kind="text"), Column("version", kind="text")), tuple(versions.items()), title="Versions"
    )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
