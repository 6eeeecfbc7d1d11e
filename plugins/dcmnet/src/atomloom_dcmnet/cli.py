"""``atomloom dcmnet``: charges of a molecule from its own potential."""

from __future__ import annotations

import click

from atomloom_dcmnet.fit_command import fit


@click.group()
def dcmnet() -> None:
    """Distributed charges: fit them to the potential of one molecule."""


dcmnet.add_command(fit)
