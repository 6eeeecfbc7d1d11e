"""An example of leakage: ethanol at DFT, whose frames are one trajectory, judged by random frames and by a later block.

Neighbours of a random test frame in time are among the frames that were learnt from, so its errors say how well the
model interpolates between them. They are no result and compare with nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tables import Limit, table

from physnet.training import ETHANOL, SHARED, errors_of, started, trained

DATA = SHARED / "md17_ethanol" / "ethanol_md17_dft_2000.npz"
EXPERIMENT = f"""{ETHANOL}\
[data.split]
train = 0.45
test = 0.05
{{how}}
[training]
num_epochs = {{epochs}}
table_every_n_epochs = 0
"""
SPLITS = {"LEAKING: random frames": "seed = 0", "whole blocks of 50 frames": "seed = 0\nblocks = 40"}
EPOCHS = 30


def run(epochs: int) -> list[Limit]:
    """Print the errors of both splits; nothing is asked of them."""
    if not DATA.is_file():
        print("\nleakage: ATOMLOOM_SHARED_DATA does not have ethanol")
        return []
    rows, said = [], list[str]()
    for name, how in SPLITS.items():
        with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
            job = started(EXPERIMENT.format(path=DATA, how=how, epochs=epochs), Path(folder))
            energy, force = errors_of(trained(job, Path(folder)))
        rows.append([name, f"{energy:.3f}", f"{force:.3f}"])
        said += [f"{name}: atomloom says {warning}" for warning in job.warnings]
    title = f"An example of leakage, and no result: one trajectory at DFT, 900 / 100 frames, {epochs} epochs"
    table(title, ("held out", "E MAE, kcal/mol", "F MAE, kcal/mol/A"), rows, said)
    return []
