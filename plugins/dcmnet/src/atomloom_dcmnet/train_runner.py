"""``python -m atomloom_dcmnet.train_runner --name NAME --num-epochs 100 --data FILE``: a training from the shell.

``atomloom train dcmnet`` does the same with all that atomloom offers; this one has flags for the losses as well.
"""

from __future__ import annotations

from typing import Any

import click

from atomloom.errors import AtomloomError
from atomloom.experiment import Option, describe, from_flags
from atomloom.harmonizing import pairs
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.experiments import ExperimentConfig, TrainingConfig

_COUNTS = ("num_train", "num_valid", "natoms")
_SETTLED = ("read_as", "units")
_WEIGHTS = ("esp_w", "chg_w", "dipole_w", "quadrupole_w", "site_w")


def command() -> click.Command:
    """The command, with a flag for every option."""

    def callback(data: tuple[str, ...], root: str, **given: Any) -> None:
        from atomloom_dcmnet.training import train_model

        try:
            found = train_model(_config(data, {key: value for key, value in given.items() if value is not None}), root)
        except AtomloomError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"The loss of the best epoch is {found.loss:.6g}; the run is in '{found.exp_dir}'.")

    params: list[click.Parameter] = [
        click.Option(
            ["--data"], multiple=True, metavar="PATH", help="What to read; repeatable. Else what the package brings."
        ),
        click.Option(["--name"], metavar="NAME", help="Of the run."),
        click.Option(["--root"], default="runs", show_default=True, metavar="FOLDER", help="Of all runs."),
        click.Option(["--split-seed"], type=int, help="Of the random division of the data."),
        click.Option(["--num-train"], type=click.IntRange(min=1), help="Frames to train on."),
        click.Option(["--num-valid"], type=click.IntRange(min=0), help="Frames to watch; what is left judges."),
        click.Option(["--natoms"], type=click.IntRange(min=1), help="The most atoms that a frame may have."),
        click.Option(["--as", "read_as"], multiple=True, metavar="FIELD=MEANING", help="Settle what a field is."),
        click.Option(["--unit", "units"], multiple=True, metavar="FIELD=UNIT", help="Settle the unit of a field."),
    ]
    params += [click.Option([f"--{name.replace('_', '-')}"], type=float, help="Weight of a loss.") for name in _WEIGHTS]
    params += [_flag(option) for struct in (ModelConfig, TrainingConfig) for option in describe(struct)]
    return click.Command("train_runner", callback=callback, params=params, help="Train a network and analyse it.")


def _config(data: tuple[str, ...], given: dict[str, Any]) -> ExperimentConfig:
    """The struct that the flags amount to."""
    names = ("name", "split_seed", *_COUNTS, *_WEIGHTS)
    own: dict[str, Any] = {name: given[name] for name in names if name in given}
    own |= {name: pairs(f"--{name}", given[name]) for name in _SETTLED if given.get(name)}
    parts: dict[str, Any] = {
        part: from_flags(struct, {name: given[name] for name in struct.__struct_fields__ if name in given})
        for part, struct in (("model", ModelConfig), ("training", TrainingConfig))
    }
    return ExperimentConfig(data=data, **own, **parts)


def _flag(option: Option) -> click.Option:
    shown = "" if option.default is None else f" (default: {option.default})"
    if option.kind is bool:
        return click.Option([f"{option.flag}/--no-{option.flag[2:]}"], default=None, help=f"{option.help}{shown}")
    return click.Option([option.flag], metavar=option.metavar, help=f"{option.help}{shown}")


if __name__ == "__main__":
    command()()
