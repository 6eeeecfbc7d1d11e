"""From a path to the tables of a TOML file, with messages that name the line when it is not one."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from atomloom.errors import ConfigError
from atomloom.experiment.wording import visible

LARGEST = 1 << 20
"""Bytes of an experiment file; what is larger is a data file that was given by mistake."""

ASKED = "use the experiment"
"""What all messages about experiments begin with: "Cannot use the experiment: ..."."""

WRITTEN = "An experiment is a text file in TOML; `atomloom inspect` reads data files"
"""What to do about a file of another kind."""
_SHOWN = 80  # characters of a wrong line that a message repeats
_DIGITS = re.compile(r"[0-9_]{1000,}")
_TUPLE = re.compile(r"\((?P<names>'.*'),?\)")
_WHERE = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


class Hint(NamedTuple):
    """What to do about a syntax error: the first hint applies whose patterns match message and line."""

    message: str
    line: str
    todo: str


_TWICE = "Cannot |Duplicate "
_OPEN = r"Unclosed|Unterminated|Expected '\]"
_SINGLE_QUOTES = r"Put text with backslashes in single quotes: 'C:\data'"

HINTS = (
    Hint("", r"^\s*[{]", "This looks like JSON; TOML writes `key = value` below `[table]`"),
    Hint("Expected '='", r"^\s*[\w.\"'-]+\s*:", "TOML writes `key = value` with an equals sign"),
    Hint("Invalid value", r"=\s*(True|False)\b", "TOML writes true and false in small letters"),
    Hint("Invalid value", r"=\s*(None|none|null|nil)\b", "TOML has no such value; leave the key out"),
    Hint("Invalid value", r"=\s*(#|$)", "Give the key a value"),
    Hint("Invalid value", r"==", "TOML writes `key = value` with one equals sign"),
    Hint("", r"=\s*[-+]?(\.\d|\d+\.(?!\d))", "A number needs digits on both sides of its point"),
    Hint("", r"=\s*[-+]?0\d", "A number must not begin with 0, and text goes in quotes"),
    Hint("Invalid hex value|Unescaped", r"\\", _SINGLE_QUOTES),
    Hint(r"Illegal character '\\n'", "", "Close the quotes before the end of the line"),
    Hint("Illegal character", "", "Remove it"),
    Hint(_TWICE, r"^\s*\[", "Give each table once; a table that comes several times has two brackets: [[...]]"),
    Hint(_TWICE, "", "Give each key once"),
    Hint(_OPEN, "", "Close the bracket or the quotes"),
    Hint("Invalid value|Expected newline", r"=\s*[^\s\"'\[{]", 'Text goes in quotes: "..."'),
    Hint("", "", "TOML writes `key = value` below `[table]`"),
)


def read(path: str | Path) -> str:
    """The text of an experiment file."""
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _refusal(f"there is no file '{path}'", _near(Path(path))) from None
    except IsADirectoryError:
        raise _refusal(f"'{path}' is a folder", _inside(Path(path))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(f"'{path}' cannot be read: {reason}", "Check the path and its permissions") from None
    if len(raw) > LARGEST:
        raise _refusal(f"'{path}' is larger than {LARGEST >> 20} MB", WRITTEN)
    return _decoded(raw, path)


def _decoded(raw: bytes, path: str | Path) -> str:
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        byte, line = raw[error.start], raw.count(b"\n", 0, error.start) + 1
        if b"\0" in raw:
            raise _refusal(f"'{path}' is not text", WRITTEN) from None
        found = f"{path}:{line}: byte 0x{byte:02x} is not UTF-8"
        raise _refusal(found, "Save the file as UTF-8") from None


def parsed(text: str, path: str | Path) -> dict[str, Any]:
    """The tables of a TOML text that was read from `path`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text, path) from None
    except ValueError:
        # Python refuses to read integers of thousands of digits.
        digits = _DIGITS.search(text)
        line = text.count("\n", 0, digits.start() if digits else 0) + 1
        raise _refusal(f"{path}:{line}: a number has too many digits", "It has to fit into 64 bits") from None
    if not tables:
        found = f"'{path}' is empty" if not text.strip() else f"'{path}' holds nothing but comments"
        raise _refusal(found, "It needs a [[data.source]] with path and reader, and a [model] with name")
    return tables


def _refusal(found: str, todo: str) -> ConfigError:
    return ConfigError(ASKED, visible(found), visible(todo))


def _syntax(error: str, text: str, path: str | Path) -> ConfigError:
    where = _WHERE.fullmatch(error)
    lines = text.split("\n")
    number = int(where["line"]) if where and where["line"] else max(1, len(text.rstrip().split("\n")))
    what = where["what"] if where else error
    line = lines[number - 1]
    what = _TUPLE.sub(_header, what)
    todo = next(hint.todo for hint in HINTS if re.match(hint.message, what) and re.search(hint.line, line))
    return _refusal(f"{path}:{number}: {what}, in `{line.strip()[:_SHOWN]}`", todo)


def _header(names: re.Match[str]) -> str:
    """The name of a table, which tomllib gives as a Python tuple, as its header spells it."""
    parts = re.findall(r"'([^']*)'", names["names"])
    return f"[{'.'.join(parts)}]"


def _near(path: Path) -> str:
    """The names in the folder of a missing file that it may have been meant to be."""
    folder = path.parent
    if not folder.is_dir():
        return f"Check the path; there is no folder '{folder}' either"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    near = get_close_matches(path.name, names, n=3) or [name for name in names if name.endswith(".toml")][:5]
    return f"Nearest in that folder: {', '.join(near)}" if near else "Check the path"


def _inside(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.glob("*.toml"))[:5]
    return f"Name the file, such as {', '.join(str(folder / name) for name in names)}" if names else "Name a TOML file"
