"""The command line. `main` is what ``atomloom`` runs; one module a command, imported when it is called."""

from __future__ import annotations


def main() -> None:
    """Run ``atomloom`` on the arguments of this process and exit."""
    from atomloom.cli.frame import atomloom

    atomloom(prog_name="atomloom")
