"""The data contract: fields, data sets that read on demand, and batches of frames in memory."""

from atomloom.data.batch import Batch
from atomloom.data.chosen import Chosen
from atomloom.data.columns import Column, Constant, Joined, Mapped, Packed, Padded, PerFrame, Picked
from atomloom.data.dataset import Dataset, concatenate
from atomloom.data.references import ElementEnergies
from atomloom.data.slots import Slots, spread
from atomloom.rows import Rows

__all__ = [
    "Batch",
    "Chosen",
    "Column",
    "Constant",
    "Dataset",
    "ElementEnergies",
    "Joined",
    "Mapped",
    "Packed",
    "Padded",
    "PerFrame",
    "Picked",
    "Rows",
    "Slots",
    "concatenate",
    "spread",
]
