"""``atomloom dcmnet``: charges of a molecule from its own potential, and charges for other programs."""

from __future__ import annotations

import click

from atomloom_dcmnet.export_command import export
from atomloom_dcmnet.fit_command import fit


@click.group()
def dcmnet() -> None:
    """Distributed charges: fit them to the potential of a molecule, and export them."""


dcmnet.add_command(fit)
dcmnet.add_command(export)
