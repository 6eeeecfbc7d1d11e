"""From frames to batches of static shape: plans, order, padding, masks and pair lists, the same for every plugin.

::

    order     the keyed permutation of an epoch          buckets, packing   where to cut, what to put together
    plans     batches of an epoch, and their waste       stream             step by step, over hosts, resumable
    padded    a batch in static shape                    pairs              all pairs, or those within a cutoff
    choosing  the plan that an experiment asks for       feeding            from a data set and a plan to batches
    ahead     what comes next, prepared in a thread   near    the pairs of a data set that a model needs
"""

from atomloom.batching.ahead import ahead
from atomloom.batching.choosing import choose, packed_shape
from atomloom.batching.feeding import feed, fixed_shape, in_order, load, load_several
from atomloom.batching.near import Near, repeats
from atomloom.batching.order import Order
from atomloom.batching.padded import PaddedBatch, pad, pad_several
from atomloom.batching.pairs import PairList, all_pairs, within
from atomloom.batching.plans import BucketPlan, FixedPlan, PackedPlan, Plan, Planned, Waste
from atomloom.batching.shape import Shape, Sizes, dense_pairs
from atomloom.batching.stream import Position, Stream

__all__ = [
    "BucketPlan",
    "FixedPlan",
    "Near",
    "Order",
    "PackedPlan",
    "PaddedBatch",
    "PairList",
    "Plan",
    "Planned",
    "Position",
    "Shape",
    "Sizes",
    "Stream",
    "Waste",
    "ahead",
    "all_pairs",
    "choose",
    "dense_pairs",
    "feed",
    "fixed_shape",
    "in_order",
    "load",
    "load_several",
    "packed_shape",
    "pad",
    "pad_several",
    "repeats",
    "within",
]
