"""Where a run keeps what: the names of the files in its folder, and how the folder comes to be.

>>> RunFolder(Path("runs/water")).checkpoint("epoch-00010").as_posix()
'runs/water/checkpoints/epoch-00010.safetensors'
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from atomloom.errors import RunError
from atomloom.runs import strictjson
from atomloom.runs.atomic import atomic_file, atomic_folder
from atomloom.runs.cite import bibliography
from atomloom.runs.targets import writing


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run.

    Args:
        path: of the folder; its last part is the run's name.
    """

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.resolve().name

    @property
    def config(self) -> Path:
        """The fully resolved experiment."""
        return self.path / "config.toml"

    @property
    def provenance(self) -> Path:
        """Versions, seeds, fingerprints of the data, and the sessions in which the run was fitted."""
        return self.path / "provenance.json"

    @property
    def log(self) -> Path:
        """What happened, with times."""
        return self.path / "run.log"

    @property
    def metrics(self) -> Path:
        """One line of JSON per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.path / "report"

    @property
    def analysis(self) -> Path:
        """The folder of what post-processors made of the run."""
        return self.path / "analysis"

    @property
    def citations(self) -> Path:
        """The literature to cite, as BibTeX."""
        return self.path / "citations.bib"

    @property
    def lock(self) -> Path:
        """Held by the process that fits the run."""
        return self.path / ".lock"

    def checkpoint(self, name: str) -> Path:
        """The file of the checkpoint of this name: ``latest``, ``best`` or ``epoch-NNNNN``."""
        return self.checkpoints / f"{name}.safetensors"

    @property
    def calibration(self) -> Path:
        """How the spread of an ensemble's members compares with their errors."""
        return self.path / "calibration.json"

    def member(self, number: int) -> RunFolder:
        """The folder of one of the members of an ensemble, counted from 1: a run of its own."""
        return RunFolder(self.path / f"member-{number}")

    def read_config(self) -> dict[str, Any]:
        """The resolved experiment as plain data."""
        text = self._read(self.config)
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise self._broken(self.config, f"it is not TOML ({error})") from error

    def read_provenance(self) -> dict[str, Any]:
        """The contents of ``provenance.json``, with a list of ``sessions`` in any case."""
        text = self._read(self.provenance)
        try:
            found = json.loads(text)
        except ValueError as error:
            raise self._broken(self.provenance, f"it is not JSON ({error})") from error
        sessions = found.get("sessions", []) if isinstance(found, dict) else None
        tables = [found.get(key, {}) for key in ("versions", "seeds", "split")] if isinstance(found, dict) else [None]
        sound = isinstance(sessions, list) and all(isinstance(one, dict) for one in (*sessions, *tables))
        if not sound:
            raise self._broken(self.provenance, "it is not what a run keeps there")
        return {**found, "sessions": sessions}

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Replace ``provenance.json``."""
        _write_json(self.provenance, provenance)

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            found = f"it has no {path.name}" if self.path.is_dir() else "there is no such folder"
            raise RunError(
                f"open the run '{self.path}'", found, "`atomloom runs list` shows the runs that there are"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise self._broken(path, f"it cannot be read ({error})") from error

    def _broken(self, path: Path, found: str) -> RunError:
        return RunError(f"open the run '{self.path}'", f"{path.name} is damaged: {found}", "Restore it from a copy")


def create(path: str | Path, config: Mapping[str, Any], provenance: Mapping[str, Any]) -> RunFolder:
    """Make the folder of a new run; it appears with its first files in it, or not at all.

    Args:
        path: of the folder; the folders above are made as needed.
        config: the resolved experiment; keys whose value is None are left out, for TOML has no such value.
        provenance: as from `atomloom.runs.provenance.describe`.

    Raises:
        RunError: when something of that name is there; the message offers the next free name.
        TargetError: when it cannot be written.
    """
    target = Path(path)
    check_free(target)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target) as temporary:
        new = RunFolder(temporary)
        new.checkpoints.mkdir()
        new.config.write_text(tomli_w.dumps(_without_none(config)), encoding="utf-8")
        new.write_provenance({**provenance, "sessions": []})
        new.citations.write_text(bibliography(provenance), encoding="utf-8")
    return RunFolder(target)


def check_free(path: Path) -> None:
    """Stop where a run of this name cannot be started, because the name is bad or taken.

    Raises:
        RunError: when something of that name is there; the message offers the next free name.
    """
    _check_name(path)
    if os.path.lexists(path):
        raise RunError(
            f"start the run '{path.name}'",
            f"'{path}' exists already",
            f"Continue it with `atomloom resume {path}`, or use the next free name, {next_free(path).name}",
        )


def next_free(path: Path) -> Path:
    """`path` if nothing is there, else the first of NAME-2, NAME-3, ... that is free."""
    candidate, number = path, 1
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _check_name(path: Path) -> None:
    name = path.name
    if name in {"", ".", ".."} or name.startswith((".", "-")) or not name.isprintable():
        raise RunError(
            f"start a run named {name!r}",
            "a name starts with neither a dot nor a dash and has only printable characters",
            "Choose another name",
        )


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _write_json(path: Path, value: Any) -> None:
    with atomic_file(path, "w") as file:
        file.write(strictjson.dumps(value, indent=2) + "\n")
