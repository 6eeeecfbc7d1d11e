"""The Fourier transform of a density that fills a part of its grid, at the Miller indices that are wanted.

Axes are transformed one after the other. Rows of the grid that hold nothing are left out before each step, indices
that nobody wants after it, so that a side chain in a large cell costs a fraction of what the whole grid would.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from atomloom.data.columns import Array

Complex = npt.NDArray[np.complex128]


class Transform:
    """Sums of density(x) exp(2 pi i h x) over the points x of a grid.

    Args:
        shape: of the grid, along a, b and c.
        hkl: (..., 3) Miller indices.

    >>> density = np.zeros((4, 5, 6), dtype=np.float32)
    >>> density[1, 0, 3] = 2.0
    >>> Transform(density.shape, np.array([[1, 0, 0], [-1, 0, 1]]))(density).round(6).tolist()
    [2j, 2j]
    """

    def __init__(self, shape: tuple[int, int, int], hkl: Array) -> None:
        back = -np.asarray(hkl, dtype=np.int64)
        self._mirrored = back[..., 0] < 0
        h, k, l = np.moveaxis(np.where(self._mirrored[..., None], -back, back), -1, 0)  # noqa: E741
        self._widest, self._depth = int(h.max(initial=0)), shape[2]
        most = int(np.abs(k).max(initial=0))
        self._kept = np.r_[0 : most + 1, -most:0]
        kept = (self._depth, len(self._kept), self._widest + 1)
        self._places = np.ravel_multi_index((l % self._depth, k % len(self._kept), h), kept)

    def __call__(self, density: npt.NDArray[np.float32]) -> Complex:
        """(...) the sums for a density that is indexed along a, b and c."""
        turned = density.T
        rows: Array = np.asarray(turned.any(axis=2))
        planes: Array = np.asarray(rows.any(axis=1))
        along_a = np.zeros((int(planes.sum()), rows.shape[1], self._widest + 1), dtype=np.complex64)
        along_a[rows[planes]] = fft.rfft(turned[rows], axis=1)[:, : self._widest + 1]
        along_b = np.zeros((self._depth, len(self._kept), self._widest + 1), dtype=np.complex64)
        along_b[planes] = fft.fft(along_a, axis=1)[:, self._kept]
        values = fft.fft(along_b, axis=0, overwrite_x=True).ravel()[self._places]
        return np.asarray(np.where(self._mirrored, values.conj(), values), dtype=np.complex128)
