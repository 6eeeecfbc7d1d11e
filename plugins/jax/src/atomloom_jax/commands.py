"""``atomloom jax``: training in several processes."""

from __future__ import annotations

import sys

import click

ARGUMENTS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""What follows is the command that is run, with its options."""


@click.group()
def jax() -> None:
    """Train in several processes, on one machine or many; `COMMAND` is a command of atomloom, such as run EXP.toml."""


@jax.command(context_settings=ARGUMENTS)
@click.option("-n", "--processes", type=click.IntRange(min=1), required=True, help="How many processes to start.")
@click.option("--devices-each", type=click.IntRange(min=1), default=1, show_default=True, help="GPUs of each process.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def launch(processes: int, devices_each: int, command: tuple[str, ...]) -> None:
    """Run COMMAND in several processes on this machine, and say why they ended if one of them fails."""
    from atomloom_jax.launching import launch as launched

    ended = launched(processes, command, devices_each)
    if ended.told:
        click.echo(ended.told, err=True)
    sys.exit(ended.code)


@jax.command(context_settings=ARGUMENTS)
@click.option("--coordinator", metavar="HOST:PORT", envvar="JAX_COORDINATOR_ADDRESS", help="Of the first process.")
@click.option("--processes", type=click.IntRange(min=1), envvar="JAX_NUM_PROCESSES", help="How many there are.")
@click.option("--process", type=click.IntRange(min=0), envvar="JAX_PROCESS_ID", help="Which one this is, from 0.")
@click.option("--detect", metavar="NAME", help="How JAX finds the others: slurm, ompi, mpi4py, k8s; else it tries all.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def join(
    coordinator: str | None, processes: int | None, process: int | None, detect: str | None, command: tuple[str, ...]
) -> None:
    """Run COMMAND as one of several processes, which Slurm, MPI, Kubernetes or you have started.

    What is not given JAX finds from its surroundings. The environment variables JAX_COORDINATOR_ADDRESS,
    JAX_NUM_PROCESSES and JAX_PROCESS_ID stand for the options.
    """
    from atomloom_jax.joining import Place
    from atomloom_jax.joining import join as joined

    joined(Place(coordinator, processes, process, detect), command)
