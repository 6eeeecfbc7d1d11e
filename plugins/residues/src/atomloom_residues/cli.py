"""``atomloom residues``: tools for models of protein forces."""

from __future__ import annotations

import click

from atomloom_residues.ema_command import ema


@click.group()
def residues() -> None:
    """Models of protein forces: average their checkpoints."""


for command in (ema,):
    residues.add_command(command)
