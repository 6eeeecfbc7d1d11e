"""The exceptions of atomloom, each with the three parts that a person needs.

::

    AtomloomError                 exit code 1: something failed while it ran
    ├── PluginError               a plugin or something it registered is broken
    ├── RunFailed                 a fit stopped (a NaN, a diverged loss, ...)
    └── InputError                exit code 2: what was asked cannot be done as asked
        ├── UnknownName           no such reader, model, field, ...
        ├── AmbiguousName         two contributions share the name
        ├── DataError             what a file holds cannot be used
        │   └── AmbiguousData     it fits two meanings, and the user has to settle which
        ├── UnitError             a unit that is not understood, or of the wrong dimension
        ├── ConfigError           an experiment file or an option is wrong
        ├── RunError              a run directory exists, is missing or does not fit
        └── TargetError           an output path that cannot be written

Every message reads "Cannot <asked>: <found>. <todo>".

>>> print(DataError("read 'empty.npz'", "the file is empty (0 bytes)", "Check that its download finished"))
Cannot read 'empty.npz': the file is empty (0 bytes). Check that its download finished.
"""

from __future__ import annotations


class AtomloomError(Exception):
    """Base of all errors that atomloom raises on purpose.

    Args:
        asked: what was to be done, as a verb phrase ("read 'dimers.npz'").
        found: what stood in the way, as a clause without a full stop.
        todo: what the reader of the message can do, as a sentence.
    """

    exit_code = 1

    def __init__(self, asked: str, found: str, todo: str) -> None:
        super().__init__(asked, found, todo)
        self.asked = asked
        self.found = found
        self.todo = todo

    def __str__(self) -> str:
        found, todo = self.found.rstrip("."), self.todo.rstrip(".")
        return f"Cannot {self.asked}: {found}. {todo}{'' if todo.endswith('?') else '.'}"


class PluginError(AtomloomError):
    """A plugin, or something that it registered, is broken."""


class RunFailed(AtomloomError):
    """A fit stopped because its numbers or its machine gave out."""


class InputError(AtomloomError):
    """What was asked cannot be done as asked; nothing was changed."""

    exit_code = 2


class UnknownName(InputError):
    """No reader, model, field or other contribution of this name is installed."""


class AmbiguousName(InputError):
    """Two installed plugins contribute something of this name."""


class DataError(InputError):
    """A file or data set holds something that cannot be used."""


class AmbiguousData(DataError):
    """A field fits two meanings; the message names both and the option that settles it."""


class UnitError(InputError):
    """A unit is not understood or has the wrong dimension."""


class ConfigError(InputError):
    """An experiment file or a command-line option is wrong."""


class RunError(InputError):
    """A run directory exists already, is missing, or does not fit what is asked of it."""


class TargetError(InputError):
    """An output path cannot be written."""
