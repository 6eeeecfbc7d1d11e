"""Search of options: many runs of one experiment, each with other options, of which the best is kept.

::

    space    which options are tried, checked before anything runs     folder   what lies where
    study    Optuna's memory of the trials, its sampler and pruner     trials   one trial as a run
    loop     from the first trial to the last, and on after a kill     summary  the report of it all
"""

from atomloom.search.folder import SearchFolder
from atomloom.search.loop import Found, resume, search

__all__ = ["Found", "SearchFolder", "resume", "search"]
