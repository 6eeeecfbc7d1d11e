"""The potential that knows charge and spin: its accuracy, its speed beside peers, and what knowing states costs.

`python benchmarks/bench_physnet.py speed states` prints some of the tables, and `--curves FOLDER` draws the learning
curves of ethanol. Ethanol and AIMNet2's set are where ATOMLOOM_SHARED_DATA says; what is not there is left out, and so
are peers that are not installed. All of it takes about 40 minutes on two cores with nothing else to do.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from physnet import aimnet, conditioning, ethanol, leakage, speed, states
from tables import Limit, verdict

Given = argparse.Namespace

TABLES: dict[str, Callable[[Given], Sequence[Limit]]] = {
    "conditioning": lambda given: conditioning.run(),
    "speed": lambda given: speed.run(),
    "states": lambda given: states.run(given.seeds, given.epochs or states.EPOCHS),
    "ethanol": lambda given: ethanol.run(given.seeds, given.epochs or ethanol.EPOCHS, given.curves),
    "leakage": lambda given: leakage.run(given.epochs or leakage.EPOCHS),
    "aimnet": lambda given: aimnet.run(given.epochs or aimnet.EPOCHS),
}


def main() -> int:
    """Print the tables; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all without a name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="fewer than the limits are meant for, to try things out")
    parser.add_argument("--curves", type=Path, help="a folder for a report with the learning curves of ethanol")
    given = parser.parse_args()
    wanted = given.tables or list(TABLES)
    if unknown := set(wanted) - set(TABLES):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; name some of {', '.join(TABLES)}")
    logging.disable(logging.WARNING)
    return verdict([limit for name in wanted for limit in TABLES[name](given)])


if __name__ == "__main__":
    sys.exit(main())
