"""Scripts that open the refined model and its maps in Coot, PyMOL and ChimeraX."""

from __future__ import annotations

from pathlib import Path

from atomloom.runs.atomic import atomic_file

_COOT = """import os
here = os.path.dirname(os.path.abspath(__file__))
read_pdb(os.path.join(here, "{model}"))
make_and_draw_map(os.path.join(here, "{maps}"), "FWT", "PHWT", "", 0, 0)
make_and_draw_map(os.path.join(here, "{maps}"), "DELFWT", "PHDELWT", "", 0, 1)
"""

_PYMOL = """load {model}, refined
load_mtz {maps}, maps, refined/FWT, refined/PHWT
hide everything
show lines, refined
show sticks, refined and q < 1
spectrum q, red_white_blue, refined and q < 1, minimum=0, maximum=1
"""

_CHIMERAX = """open {model}
open {maps}
hide atoms
show ligand | solvent
color byattribute occupancy palette 0,red:0.5,white:1,blue
"""


def write_viewers(folder: Path, model: str, maps: str) -> tuple[Path, ...]:
    """The three scripts in `folder`, beside the files that they open."""
    paths = []
    for name, text in (("view_coot.py", _COOT), ("view.pml", _PYMOL), ("view.cxc", _CHIMERAX)):
        paths.append(folder / name)
        with atomic_file(paths[-1], "w") as file:
            file.write(text.format(model=model, maps=maps))
    return tuple(paths)
