"""What is wrong with an experiment, where it stands, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from atomloom.errors import ConfigError
from atomloom.experiment.keys import Key, spell
from atomloom.experiment.lines import Lines
from atomloom.experiment.wording import visible

SHOWN = 5
"""Problems that one message lists."""

COUNTED = 99
"""Problems that are looked for; a file with more of them is another kind of file."""


class Problem(NamedTuple):
    """One thing wrong: ``<the key> <found>. <todo>.``

    Args:
        key: of what is wrong or missing.
        found: what goes on after the key's name, such as ``"is -3"``.
        todo: what to do, as a sentence without its full stop.
    """

    key: Key
    found: str
    todo: str

    def under(self, parent: Key) -> Problem:
        """The same problem seen from the table that holds `parent`."""
        return self._replace(key=parent + self.key)


class Place(Protocol):
    """Where the values came from, so that a message can point there."""

    def at(self, key: Key) -> str:
        """Name `key` with its place, such as ``"exp.toml:12: `batching.batch_size`"``."""

    def line(self, key: Key) -> int:
        """The line that holds `key`, by which problems are sorted; zero where there are no lines."""

    def under(self, *root: str | int) -> Place:
        """The same place, with keys counted from the table `root`."""


@dataclass(frozen=True)
class InFile:
    """Values from the TOML file `path`, below its table `root`.

    Args:
        path: as the user wrote it.
        root: the table that keys are counted from, such as ``("training",)``.
        text: what the file holds; read again when a message needs it and it is not given.

    >>> InFile("exp.toml", ("training",), "[training]\\nnum_epochs = 5").at(("num_epochs",))
    'exp.toml:2: `training.num_epochs`'
    """

    path: str | Path
    root: Key = ()
    text: str = ""

    def at(self, key: Key) -> str:
        """Name `key` with path and line."""
        line = self.line(key)
        place = f"{self.path}:{line}" if line else str(self.path)
        return f"{place}: `{spell(self.root + key)}`"

    def line(self, key: Key) -> int:
        """The line of `key`, or of the table that it is missing from; zero if the file is gone."""
        lines = self._lines()
        return lines[self.root + key] if lines else 0

    def holds(self, key: Key) -> bool:
        """Whether `key` stands in the file."""
        lines = self._lines()
        return lines is not None and self.root + key in lines

    def _lines(self) -> Lines | None:
        try:
            return _lines(self.text or Path(self.path).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError):
            return None

    def under(self, *root: str | int) -> InFile:
        """The same file, with keys counted from the table `root`."""
        return replace(self, root=root)


@dataclass(frozen=True)
class AsFlags:
    """Values from flags of a command line: ``num_epochs`` is told as ``--num-epochs``."""

    def at(self, key: Key) -> str:
        """Name `key` as its flag."""
        return flag(str(key[0])) if key else "the combination of options"

    def line(self, key: Key) -> int:
        """Zero: a command line is one line."""
        return 0

    def under(self, *root: str | int) -> AsFlags:
        """The same: a flag is called alike whatever table it belongs to."""
        return self


@dataclass(frozen=True)
class AfterSet:
    """Values from `file`, some of them replaced by ``--set KEY=VALUE``.

    Args:
        file: where the others come from.
        changed: the replaced keys, counted from the top of the file.

    >>> AfterSet(InFile("exp.toml", text="[training]"), (("training", "num_epochs"),)).at(("training", "num_epochs"))
    '--set `training.num_epochs`'
    """

    file: InFile
    changed: tuple[Key, ...]

    def at(self, key: Key) -> str:
        """Name `key` with its line, or as the ``--set`` that gave it."""
        whole = self.file.root + key
        inside = any(whole[: len(changed)] == changed for changed in self.changed)
        above = any(changed[: len(whole)] == whole for changed in self.changed)
        if inside or (above and not self.file.holds(key)):
            return f"--set `{spell(whole)}`"
        return self.file.at(key)

    def line(self, key: Key) -> int:
        """The line of `key` in the file, where it may have another value."""
        return self.file.line(key)

    def under(self, *root: str | int) -> AfterSet:
        """The same values, with keys counted from the table `root`."""
        return replace(self, file=self.file.under(*root))


@lru_cache(maxsize=2)
def _lines(text: str) -> Lines:
    return Lines(text)


def flag(name: str) -> str:
    """The command-line flag of an option.

    >>> flag("num_epochs")
    '--num-epochs'
    """
    return f"--{name.replace('_', '-')}"


def refuse(asked: str, problems: Iterable[Problem], place: Place) -> None:
    """Raise a `ConfigError` that tells all `problems`; do nothing if there are none."""
    found = sorted(islice(problems, COUNTED + 1), key=lambda problem: place.line(problem.key))
    if not found:
        return
    told = [visible(f"{place.at(problem.key)} {problem.found}") for problem in found[:SHOWN]]
    if len(found) == 1:
        raise ConfigError(asked, told[0], found[0].todo)
    listed = "\n".join(f"  {what}. {problem.todo}." for what, problem in zip(told, found, strict=False))
    number = f"more than {COUNTED}" if len(found) > COUNTED else str(len(found))
    first = f" ({SHOWN} are shown)" if len(found) > SHOWN else ""
    raise ConfigError(asked, f"{number} things are wrong", f"Correct these{first}:\n{listed}")
