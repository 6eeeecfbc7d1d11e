"""From frames to batches of static shape: padding, masks and pair lists, the same for every plugin."""

from atomloom.batching.padded import PaddedBatch, Shape, pad
from atomloom.batching.pairs import all_pairs
from atomloom.batching.stream import fixed_shape, in_order, shuffled

__all__ = ["PaddedBatch", "Shape", "all_pairs", "fixed_shape", "in_order", "pad", "shuffled"]
