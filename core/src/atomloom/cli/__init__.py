"""The command line. `main` is what ``atomloom`` runs; one module a command, imported when it is called."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run ``atomloom`` on the arguments of this process and exit."""
    from atomloom.cli.frame import atomloom

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an Å that a terminal cannot show must not end a command
    atomloom(prog_name="atomloom")
