"""Which process wrote this, and does it still run?

A process id alone does not answer that: ids are reused, and in a container the next process often has the very same
one. So the moment of its birth (in clock ticks since boot, where the system tells) and the host go along.

>>> Process.here().alive
True
>>> Process.parse(str(Process.here())) == Process.here()
True
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path
from typing import NamedTuple

_TEXT = re.compile(r"(\d+)-(\d+)-([0-9a-f]{8})")


class Process(NamedTuple):
    """A process, told apart from all others.

    Args:
        pid: its id on its host.
        born: when it started, in clock ticks since boot; 0 where the system does not tell.
        host: eight hexadecimal digits that stand for its host's name.
    """

    pid: int
    born: int
    host: str

    @classmethod
    def here(cls) -> Process:
        """The process that asks."""
        return cls(os.getpid(), _born(os.getpid()), host_digest(socket.gethostname()))

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """The process that `str` made this text of; None for any other text."""
        found = _TEXT.fullmatch(text)
        return cls(int(found[1]), int(found[2]), found[3]) if found else None

    def __str__(self) -> str:
        return f"{self.pid}-{self.born}-{self.host}"

    @property
    def alive(self) -> bool | None:
        """Whether it still runs; None if that cannot be known from here (another host, a system without signals)."""
        if self.host != host_digest(socket.gethostname()) or os.name == "nt":
            return None
        return _exists(self.pid) and _born(self.pid) == self.born


def host_digest(host: str) -> str:
    """Eight hexadecimal digits for a host's name, which may itself be long or hold characters unfit for a file name."""
    return hashlib.blake2b(host.encode(), digest_size=4).hexdigest()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # somebody else's, or no id at all: nothing that we should tidy up
    return True


def _born(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    after_name = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return int(after_name[19])
