"""The folder of a search: the names of what is in it, and how it comes to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from atomloom.errors import RunError
from atomloom.experiment import Experiment, dumps, load
from atomloom.runs import check_free, next_free
from atomloom.runs.atomic import atomic_file, atomic_folder
from atomloom.runs.targets import writing


@dataclass(frozen=True)
class SearchFolder:
    """The folder of a search.

    Args:
        path: of the folder; its last part is the name of the search.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The experiment with resolved paths and its ``[search]`` table."""
        return self.path / "search.toml"

    @property
    def journal(self) -> Path:
        """Optuna's record of the trials."""
        return self.path / "trials.journal"

    @property
    def best(self) -> Path:
        """The experiment of the best trial, as `atomloom run` takes it."""
        return self.path / "best.toml"

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.path / "report"

    @property
    def lock(self) -> Path:
        """Held by the process that searches."""
        return self.path / ".lock"

    @property
    def trials(self) -> Path:
        """The folder of the runs."""
        return self.path / "trials"

    def trial(self, number: int) -> Path:
        """The folder of one of the runs."""
        return self.trials / f"{number:04d}"

    @property
    def exists(self) -> bool:
        """Whether there is a search."""
        return self.config.is_file()


def made(path: Path, experiment: Experiment) -> tuple[SearchFolder, bool]:
    """The folder of this search and whether it is new; more trials or another timeout may be asked of an old one.

    Raises:
        RunError: when the folder holds something else.
    """
    folder = SearchFolder(path)
    if not folder.exists:
        check_free(path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(path) as temporary:
            SearchFolder(temporary).trials.mkdir()
            SearchFolder(temporary).config.write_text(dumps(experiment), encoding="utf-8")
        return folder, True
    before = load(folder.config)
    if _lasting(before) != _lasting(experiment):
        found = f"'{path}' holds the search of another experiment"
        todo = f"Give it another name, such as --name {next_free(path).name}, or go on with `atomloom resume {path}`"
        raise RunError(f"search in '{path}'", found, todo)
    if before != experiment:
        with atomic_file(folder.config, "w") as file:
            file.write(dumps(experiment))
    return folder, False


def _lasting(experiment: Experiment) -> Experiment:
    """What may not change while a search goes on."""
    assert experiment.search is not None
    return replace(experiment, search=replace(experiment.search, trials=1, timeout=None))
