"""How much each point of a potential counts: by its distance from the molecule and by the potential itself.

Nearer than about 1.2 van der Waals radii the density of the electrons is felt, which no point charges describe. The
weights are worked out from the data when a batch is read, and do not depend on the model.
"""

from __future__ import annotations

from typing import final

import numpy as np

from atomloom.data import Column, Dataset
from atomloom.data.columns import Array, Indices
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.surfaces import scaled_distances

_ROUNDING = 1e-4  # of a distance in radii: points that were put on a limit are within it


def weights_of(points: Array, numbers: Array, positions: Array, esp: Array | None, config: ModelConfig) -> Array:
    """(r / r_vdw)^power of each point within the limits of the options, and zero beyond them, ``[points]``.

    r / r_vdw is the smallest over the atoms.

    Args:
        points: in angstrom ``[points, 3]``.
        numbers, positions: of the atoms, ``[atoms]`` and, in angstrom, ``[atoms, 3]``.
        esp: the potential in hartree/e ``[points]``, if it is known.

    >>> points = np.array([[0.0, 0.0, 1.52], [0.0, 0.0, 3.04]])
    >>> weights_of(points, np.array([8]), np.zeros((1, 3)), None, ModelConfig(esp_distance_power=2.0)).tolist()
    [0.0, 4.0]
    """
    distances = scaled_distances(points, numbers, positions)
    counts = distances >= config.esp_nearest - _ROUNDING
    if config.esp_farthest is not None:
        counts &= distances <= config.esp_farthest + _ROUNDING
    if config.esp_largest is not None and esp is not None:
        counts &= np.abs(esp) <= config.esp_largest
    return np.where(counts, distances**config.esp_distance_power, 0.0)


@final
class Weights(Column):
    """`weights_of` every point of a data set with `Z`, `R`, `vdw_surface` and perhaps `esp`."""

    def __init__(self, dataset: Dataset, config: ModelConfig) -> None:
        self.config = config
        names = [name for name in ("Z", "R", "vdw_surface", "esp") if name in dataset]
        self.columns = {name: dataset.column(name) for name in names}
        points = self.columns["vdw_surface"]
        self.frames, self.lengths = points.frames, points.lengths
        self.item, self.dtype = (), np.dtype(np.float32)

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        found = [self._of(frames[number : number + 1]) for number in range(len(frames))]
        return np.concatenate(found).astype(self.dtype) if found else np.zeros(0, self.dtype)

    def _of(self, frame: Indices) -> Array:
        own = {name: column.take(frame) for name, column in self.columns.items()}
        return weights_of(own["vdw_surface"], own["Z"], own["R"], own.get("esp"), self.config)
