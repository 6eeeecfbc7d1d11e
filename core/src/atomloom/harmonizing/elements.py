"""Two numbers for each element, by which physics tells one unit from another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Covalent radii in pm, H to Cm: Cordero et al., Dalton Trans. 2008, 2832 (sp3 carbon, low-spin metals).
_RADII = """
31 28 128 96 84 76 71 66 57 58 166 141 121 111 107 105 102 106 203 176 170 160 153 139 139 132 126 124 132 122 122 120
119 120 120 116 220 195 190 175 164 154 147 146 142 139 145 144 142 139 139 138 139 140 244 215 207 204 203 201 199 198
198 196 194 192 192 189 190 187 187 175 170 162 151 144 141 136 136 132 145 146 148 140 150 150 260 221 215 206 200 196
190 187 180 169
"""

# Hartree-Fock energies of the neutral atoms in hartree, H to Kr: Bunge et al., At. Data Nucl. Data Tables 1993, 53.
# Correlation and the choice of a functional change them by less than a per cent; effective core potentials by far more.
_ENERGIES = """
-0.500 -2.862 -7.433 -14.573 -24.529 -37.689 -54.401 -74.809 -99.409 -128.547 -161.859 -199.615 -241.877 -288.854
-340.719 -397.505 -459.482 -526.818 -599.165 -676.758 -759.736 -848.406 -942.884 -1043.356 -1149.866 -1262.444
-1381.415 -1506.871 -1638.964 -1777.848 -1923.261 -2075.360 -2234.239 -2399.868 -2572.441 -2752.055
"""


def _table(text: str, scale: float) -> NDArray[np.float64]:
    """Indexed by the atomic number; NaN where the table knows nothing, from 0 to 118."""
    table = np.full(119, np.nan)
    values = np.array(text.split(), dtype=np.float64) * scale
    table[1 : len(values) + 1] = values
    return table


RADIUS = _table(_RADII, 0.01)
"""Covalent radius by atomic number, in angstrom."""

ENERGY = _table(_ENERGIES, 1.0)
"""Total energy of the neutral atom by atomic number, in hartree."""
