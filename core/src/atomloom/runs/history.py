"""The runs in a folder: what each is and came to, and how some of them differ."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from atomloom.errors import AtomloomError, RunError
from atomloom.runs import checkpoint, ensembles, metrics
from atomloom.runs.atomic import remove_folder
from atomloom.runs.folder import RunFolder
from atomloom.runs.lock import holder
from atomloom.runs.provenance import now
from atomloom.runs.status import status_of

DEFAULT = Path("runs")
"""Where runs are kept unless one says otherwise."""


@dataclass(frozen=True)
class Summary:
    """A run in a few facts.

    Args:
        name: of the run.
        path: of its folder.
        status: one of `atomloom.runs.status.STATUSES`, or ``damaged``.
        reason: why it failed, or in what way it is damaged.
        model: the name of its model.
        epochs: how many epochs have metrics.
        total: how many it is to have; 0 if that is not known yet.
        started: when its first session began (ISO 8601, UTC); empty if none has.
        seconds: how long its sessions took, those that were killed up to their last epoch.
        seconds_left: how long the rest will take at the present session's speed; None if that is not known.
        final: the metrics of the last epoch.
        best: the metrics of the epoch with the best score.
        best_epoch: that epoch; 0 if no score was given, and of an ensemble.
        members: how many runs an ensemble is to have, of which the epochs are counted together and the metrics are
            means; 0 if it is none.
    """

    name: str
    path: str
    status: str
    reason: str = ""
    model: str = ""
    epochs: int = 0
    total: int = 0
    started: str = ""
    seconds: float = 0.0
    seconds_left: float | None = None
    final: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    members: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def list_runs(root: Path) -> list[Summary]:
    """All runs in a folder, the one that was started last first; one that is damaged is listed as such.

    Raises:
        RunError: when there is no such folder, unless it is the default one, which then has no runs.
    """
    if root == DEFAULT and not root.exists():
        return []
    if not root.is_dir():
        obstacle = "it is a file" if root.exists() else "there is no such folder"
        raise RunError(f"list the runs in '{root}'", obstacle, "Give the folder that holds the runs with --runs")
    found = [summarize(RunFolder(path)) for path in root.iterdir() if _is_run(path)]
    return sorted(found, key=lambda one: (one.started, one.name), reverse=True)


def find(name: str, root: Path) -> RunFolder:
    """The run that a person means: a name in `root`, or the path of a run's folder.

    Raises:
        RunError: when there is none; the message names similar ones.
    """
    for path in (root / name, Path(name)):
        if _is_run(path):
            return RunFolder(path)
    names = [path.name for path in root.iterdir() if _is_run(path)] if root.is_dir() else []
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        todo = f"Did you mean {' or '.join(repr(one) for one in near)}?"
    elif names:
        todo = "`atomloom runs list` shows the runs that there are; --runs says in which folder to look"
    else:
        todo = f"There are no runs in '{root}'; --runs says in which folder to look"
    raise RunError(f"find the run '{name}'", f"it is neither in '{root}' nor the folder of a run", todo)


def summarize(files: RunFolder) -> Summary:
    """The facts of one run, also of a damaged one."""
    try:
        return _with_members(_summary(files), files)
    except AtomloomError as error:
        return Summary(files.name, str(files.path), "damaged", reason=error.found)


def compare(runs: Iterable[RunFolder]) -> dict[str, dict[str, list[Any]]]:
    """What differs between runs, and what they came to.

    Returns:
        ``config``: dotted option -> its value in each run (None where it is not set), for options that differ;
        ``final`` and ``best``: metric -> its value in each run at the last and at the best epoch (None if missing).
    """
    folders = list(runs)
    configs = [flat(files.read_config()) for files in folders]
    summaries = [_with_members(_summary(files), files) for files in folders]
    options = {key: [config.get(key) for config in configs] for key in _all_keys(configs)}
    return {
        "config": {key: values for key, values in options.items() if any(value != values[0] for value in values)},
        "final": _side_by_side([one.final for one in summaries]),
        "best": _side_by_side([one.best for one in summaries]),
    }


def remove(files: RunFolder) -> None:
    """Delete a run.

    Raises:
        RunError: when a process is fitting it.
        TargetError: when it cannot be deleted.
    """
    by = holder(files.lock)
    if by is not None:
        raise RunError(
            f"delete the run '{files.name}'",
            f"process {by.pid} on {by.host} is fitting it",
            "Stop that process first (Ctrl-C where it was started)",
        )
    remove_folder(files.path)


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys.

    >>> flat({"data": {"source": [{"path": "a.npz"}]}, "seed": 1})
    {'data.source[0].path': 'a.npz', 'seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                found |= flat(item, f"{prefix}{key}[{number}].")
        else:
            found[prefix + key] = value
    return found


def _is_run(path: Path) -> bool:
    named = not path.name.startswith(".") or path.name in {"", ".", ".."}
    return named and ((path / "config.toml").is_file() or (path / "provenance.json").is_file())


def _summary(files: RunFolder) -> Summary:
    config, sessions = files.read_config(), files.read_provenance()["sessions"]
    status = status_of(files)
    last, best = metrics.last(files.metrics), metrics.of_epoch(files.metrics, _best_epoch(files))
    model = config.get("model", {})
    seconds = [_seconds(one, files) for one in sessions]
    return Summary(
        name=files.name,
        path=str(files.path),
        status=status,
        reason=str(sessions[-1].get("reason", "")) if sessions and status == "failed" else "",
        model=str(model.get("name", "")) if isinstance(model, Mapping) else "",
        epochs=last.epoch,
        total=int(sessions[-1].get("total") or 0) if sessions else 0,
        started=str(sessions[0].get("started", "")) if sessions else "",
        seconds=sum(seconds),
        seconds_left=_left(sessions[-1], last.epoch, files) if status == "running" and sessions else None,
        final=last.values,
        best=best.values,
        best_epoch=best.epoch,
    )


def _with_members(own: Summary, files: RunFolder) -> Summary:
    wanted = ensembles.size(files)
    if not wanted:
        return own
    return ensembles.together(own, [summarize(member) for member in ensembles.members(files)], wanted)


def _best_epoch(files: RunFolder) -> int:
    path = files.checkpoint("best")
    try:
        return checkpoint.peek(path).epoch if path.exists() else 0
    except AtomloomError:
        return 0  # the listing goes on; who needs that checkpoint will be told


def _seconds(session: Mapping[str, Any], files: RunFolder) -> float:
    """How long a session took; one without an end counts up to its last sign."""
    began = _time(session.get("started"))
    ended = _time(session.get("ended")) or (_time(now()) if holder(files.lock) else _last_epoch_at(files))
    return max(ended - began, 0.0) if began else 0.0


def _left(session: Mapping[str, Any], epochs: int, files: RunFolder) -> float | None:
    before: int | None = session.get("epochs_before")
    total: int | None = session.get("total")
    if before is None or total is None or epochs <= before:
        return None
    per_epoch = (_last_epoch_at(files) - _time(session.get("started"))) / (epochs - before)
    since = _time(now()) - _last_epoch_at(files)
    return per_epoch * (total - epochs) - min(since, per_epoch)


def _last_epoch_at(files: RunFolder) -> float:
    try:
        return os.stat(files.metrics).st_mtime
    except OSError:
        return 0.0


def _time(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _side_by_side(found: list[Mapping[str, float]]) -> dict[str, list[Any]]:
    return {name: [values.get(name) for values in found] for name in _all_keys(found)}


def _all_keys(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))
