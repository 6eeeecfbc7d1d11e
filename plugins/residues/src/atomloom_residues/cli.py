"""``atomloom residues``: tools for models of protein forces."""

from __future__ import annotations

import click

from atomloom_residues.bucket_command import bucket
from atomloom_residues.ema_command import ema


@click.group()
def residues() -> None:
    """Models of protein forces: length buckets for their data, averages of their checkpoints."""


for command in (bucket, ema):
    residues.add_command(command)
