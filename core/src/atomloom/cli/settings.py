"""The options that stand before every command, as the command finds them."""

from __future__ import annotations

from typing import NamedTuple

import click


class Settings(NamedTuple):
    """Options of ``atomloom`` itself.

    Args:
        verbose: how often ``-v`` was given.
        quiet: no progress bars and no notes, only results and errors.
        debug: tracebacks for every error.
    """

    verbose: int = 0
    quiet: bool = False
    debug: bool = False


def settings() -> Settings:
    """Those of the command that runs, or the defaults outside of one."""
    context = click.get_current_context(silent=True)
    found = context.find_root().obj if context else None
    return found if isinstance(found, Settings) else Settings()


def set_up_logging(chosen: Settings) -> None:
    """Log to stderr as much as was asked for; without any option logging keeps its own default, warnings."""
    if not any(chosen):
        return
    import logging

    level = logging.ERROR if chosen.quiet else logging.INFO if chosen.verbose == 1 else logging.DEBUG
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setLevel(level)  # of what is shown; the record of a run keeps its warnings
    logging.getLogger("atomloom").setLevel(min(level, logging.WARNING))
