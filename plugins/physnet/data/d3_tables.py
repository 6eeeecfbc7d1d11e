"""Makes d3.npz: what Grimme's D3 has to know of the elements, as the library tad-dftd3 holds it.

Run it with ``python plugins/physnet/data/d3_tables.py`` where tad-dftd3 is installed (which needs torch). It copies
numbers and computes none: coefficients C6 between all reference systems of the elements up to lawrencium, their
coordination numbers, radii, and the lengths that C8 follows from. The licence of tad-dftd3 and of tad-mctc, which holds
the radii, is Apache-2.0; its text is put beside the tables.
"""

from __future__ import annotations

import json
from importlib.metadata import distribution, version
from pathlib import Path

import numpy as np
import torch
from tad_dftd3.data import R4R2
from tad_dftd3.reference import Reference
from tad_mctc.data.radii import COV_D3, VDW_PAIRWISE

LARGEST = 103
"""The last element."""

TARGET = Path(__file__).parents[1] / "src" / "atomloom_physnet" / "data"


def main() -> None:
    """Write d3.npz, d3.json and d3.LICENSE."""
    reference = Reference(dtype=torch.double)
    numbers = reference.cn.numpy()[: LARGEST + 1]
    elements, columns = np.nonzero(numbers >= 0)
    coefficients = reference.c6.numpy()[elements[:, None], elements[None, :], columns[:, None], columns[None, :]]
    assert np.array_equal(coefficients, coefficients.T), "C6 of two systems does not depend on their order"
    known = slice(1, LARGEST + 1)
    pairwise = VDW_PAIRWISE(dtype=torch.double).numpy()[known, known]
    assert np.array_equal(pairwise, pairwise.T), "radii of two elements do not depend on their order"
    tables = {
        "element": elements.astype(np.uint8),
        "coordination": numbers[elements, columns],
        "c6_upper": coefficients[np.triu_indices(len(elements))],
        "radius": COV_D3(dtype=torch.double).numpy()[: LARGEST + 1],
        "pairwise_upper": pairwise[np.triu_indices(LARGEST)],
        "q": R4R2(dtype=torch.double).numpy()[: LARGEST + 1],
    }
    np.savez_compressed(TARGET / "d3.npz", **tables)
    (TARGET / "d3.json").write_text(json.dumps(provenance(), indent=2) + "\n", encoding="utf-8")
    licence = next(file for file in distribution("tad-dftd3").files or () if file.name == "LICENSE")
    (TARGET / "d3.LICENSE").write_text(licence.read_text(encoding="utf-8"), encoding="utf-8")


def provenance() -> dict[str, object]:
    """Where the numbers are from, and what they are."""
    return {
        "what": "reference data of the dispersion correction D3",
        "literature": "https://doi.org/10.1063/1.3382344",
        "from": {name: version(name) for name in ("tad-dftd3", "tad-mctc")},
        "copyright": "Grimme Group",
        "licence": "Apache-2.0, see d3.LICENSE",
        "changes": "values as they are, in the layout that atomloom_physnet.d3.tables reads",
        "made_by": "plugins/physnet/data/d3_tables.py",
        "elements": LARGEST,
        "units": {
            "element": "atomic number of each reference system",
            "coordination": "coordination number of each reference system",
            "c6_upper": "hartree*bohr^6, upper triangle of the matrix of all reference systems, row by row",
            "radius": "bohr, 4/3 of the covalent radius, by atomic number",
            "pairwise_upper": "bohr, van der Waals radii of pairs of elements from hydrogen on, as c6_upper",
            "q": "bohr, square root of sqrt(Z) <r^4> / (2 <r^2>), by atomic number",
        },
    }


if __name__ == "__main__":
    main()
