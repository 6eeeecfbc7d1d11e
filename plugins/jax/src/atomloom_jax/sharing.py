"""How the frames of an update are divided over devices, so that the same frames make it whatever their number.

An update takes ``batch_size * gradient_accumulation_steps`` frames. Where the devices divide the accumulation steps,
each takes some of the batches; otherwise each takes a part of every batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as replaced

from atomloom.batching import Near, Plan
from atomloom.errors import ConfigError
from atomloom.experiment import Batching
from atomloom.model import FitData


class Sharing(NamedTuple):
    """Who computes what.

    Args:
        batching: of a device's batches.
        group: batches that make an update, over all devices.
    """

    batching: Batching
    group: int

    def plan(self, data: FitData, near: Near) -> Plan:
        """The batches of a part of the data with the pairs that it takes, in groups that make an update."""
        return replace(data, batching=self.batching).plan(near.dataset, pairs=near.counts, group=self.group)


def share(data: FitData, accumulated: int, devices: int) -> Sharing:
    """How updates of so many accumulated batches are divided.

    Raises:
        ConfigError: when they cannot be divided evenly.
    """
    batching, frames = data.batching, data.batching.frames
    if frames is not None and batching.batch_size is None:
        frames = min(frames, len(data.train))  # a default may be more than there is
        batching = replaced(batching, batch_size=frames)
    if accumulated % devices == 0:
        return Sharing(batching, accumulated)
    if frames is not None and frames % devices == 0:
        return Sharing(replaced(batching, batch_size=frames // devices), accumulated * devices)
    size = f"batches of {frames} frames" if frames is not None else f"batches of {batching.atoms} atoms"
    found = f"neither {size} nor {accumulated} accumulated batches can be divided by {devices}"
    todo = f"Set gradient_accumulation_steps or batch_size to a multiple of {devices}, or num_devices to 1"
    raise ConfigError(f"share an update among {devices} devices", found, todo)
