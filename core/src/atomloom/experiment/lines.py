"""Where in a TOML text each key stands.

The parser of the standard library forgets lines. This scanner finds them again in a text that the parser has accepted,
so it may take every rule of TOML for granted and only has to know where values end.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from atomloom.experiment.keys import NAME, Key, unquoted

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_NAMES = re.compile(rf"(?:{NAME})(?:[ \t]*\.[ \t]*(?:{NAME}))*")
# A string in three quotes may end in up to two more that belong to it.
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})' r"|'''[\s\S]*?'''(?:'{0,2})" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'"
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


class Lines:
    """The line of every key in a valid TOML text, counted from one.

    >>> lines = Lines("[data.split]\\nseed = 7\\n")
    >>> lines["data", "split", "seed"], lines["data", "split"]
    (2, 1)

    A key that is not there is looked for where it would belong: on the line of its table, or else on the first line.

    >>> lines["data", "split", "train"]
    1
    """

    def __init__(self, text: str) -> None:
        self._found = _Scan(text).document()

    def __contains__(self, key: Key) -> bool:
        return key in self._found

    def __getitem__(self, key: Key) -> int:
        while key and key not in self._found:
            key = key[:-1]
        return self._found.get(key, 1)


class _Scan:
    """One pass over a text: `position` moves on, `found` and `arrays` (lengths of arrays of tables) fill up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
        self.found: dict[Key, int] = {}
        self.arrays: dict[Key, int] = {}

    def document(self) -> dict[Key, int]:
        table: Key = ()
        while self.look(_BLANK) != "":
            table = self.header() if self.text[self.position] == "[" else self.entry(table)
        return self.found

    def look(self, skipped: re.Pattern[str]) -> str:
        """Skip what does not count and return the character that follows, empty at the end."""
        self.take(skipped)
        return self.text[self.position : self.position + 1]

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise ValueError(f"line {self.line} is not valid TOML")
        self.position = match.end()
        return match.group()

    @property
    def line(self) -> int:
        return bisect_right(self.starts, self.position)

    def mark(self, key: Key) -> None:
        """Note a key here, and the tables above it where nothing has named them yet."""
        self.found[key] = self.line
        for end in range(1, len(key)):
            self.found.setdefault(key[:end], self.line)

    def names(self) -> tuple[str, ...]:
        self.take(_SPACE)
        return unquoted(self.take(_NAMES))

    def header(self) -> Key:
        brackets = 2 if self.text.startswith("[[", self.position) else 1
        self.position += brackets
        key = self.table(self.names(), appended=brackets == 2)
        self.mark(key)
        self.take(_SPACE)
        self.position += brackets
        return key

    def table(self, names: tuple[str, ...], appended: bool) -> Key:
        """The key of a table by its header; within an array of tables a header means the last one so far."""
        key: Key = ()
        for depth, name in enumerate(names, start=1):
            key += (name,)
            if key in self.arrays and not (appended and depth == len(names)):
                key += (self.arrays[key] - 1,)
        if appended:
            self.arrays[key] = self.arrays.get(key, 0) + 1
            key += (self.arrays[key] - 1,)
        return key

    def entry(self, table: Key) -> Key:
        """``names = value`` within `table`, which is returned; a value starts on the line of its key."""
        key = (*table, *self.names())
        self.take(_SPACE)
        self.position += len("=")
        self.take(_SPACE)
        self.value(key)
        return table

    def value(self, key: Key) -> None:
        self.mark(key)
        opening = self.text[self.position]
        if opening == "[":
            self.array(key)
        elif opening == "{":
            self.inline_table(key)
        else:
            self.take(_STRING if opening in "\"'" else _SCALAR)

    def array(self, key: Key) -> None:
        self.position += len("[")
        index = 0
        while (following := self.look(_BLANK)) != "]":
            if following == ",":
                self.position += len(",")
                continue
            self.value((*key, index))
            index += 1
        self.position += len("]")

    def inline_table(self, key: Key) -> None:
        self.position += len("{")
        while (following := self.look(_BLANK)) != "}":
            if following == ",":
                self.position += len(",")
                continue
            self.entry(key)
        self.position += len("}")
