"""``atomloom residues``: tools for models of protein forces."""

from __future__ import annotations

import click

from atomloom_residues.bucket_command import bucket
from atomloom_residues.ema_command import ema
from atomloom_residues.errors_command import errors


@click.group()
def residues() -> None:
    """Models of protein forces: errors by residue, length buckets for data, averages of checkpoints."""


for command in (bucket, ema, errors):
    residues.add_command(command)
