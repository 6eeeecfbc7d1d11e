"""Scripts that open the refined model and its maps in Coot, PyMOL and ChimeraX, to be run where they lie."""

from __future__ import annotations

from pathlib import Path

from atomloom.runs.atomic import atomic_file

_COOT = """import os

try:
    from coot import make_and_draw_map, read_pdb
except ImportError:
    pass  # Coot before 1.0 has them as they are

here = os.path.dirname(os.path.abspath(globals().get("__file__", "view_coot.py")))
read_pdb(os.path.join(here, "{model}"))
make_and_draw_map(os.path.join(here, "{maps}"), "FWT", "PHWT", "", 0, 0)
make_and_draw_map(os.path.join(here, "{maps}"), "DELFWT", "PHDELWT", "", 0, 1)
"""

_PYMOL = """load {model}, refined
load {whole}, whole_map, format=ccp4
load {differences}, difference_map, format=ccp4
hide everything
show lines, refined
show sticks, refined and q < 1
show nonbonded, refined and q < 1
spectrum q, red_white_blue, refined and q < 1, minimum=0, maximum=1
isomesh whole, whole_map, 1.0, refined and q < 1, carve=2.0
isomesh missing, difference_map, 3.0, refined and q < 1, carve=3.0
isomesh surplus, difference_map, -3.0, refined and q < 1, carve=3.0
color blue, whole
color green, missing
color red, surplus
zoom refined and q < 1
"""

_CHIMERAX = """open {model}
open {whole} {differences}
volume #2 style mesh sdLevel 1 color #3070d0
volume #3 style mesh sdLevel -3 sdLevel 3 color red color green
color byattribute a:occupancy palette 0,red:0.5,white:1,blue
style stick
view
"""


def write_viewers(folder: Path, model: str, coefficients: str, maps: tuple[str, str]) -> tuple[Path, ...]:
    """The three scripts in `folder`, beside the files that they open.

    Args:
        folder: where they go.
        model: the name of the model there.
        coefficients: the name of the MTZ file.
        maps: names of the map of the whole and of that of differences.
    """
    names = {"model": model, "maps": coefficients, "whole": maps[0], "differences": maps[1]}
    paths = []
    for name, text in (("view_coot.py", _COOT), ("view.pml", _PYMOL), ("view.cxc", _CHIMERAX)):
        paths.append(folder / name)
        with atomic_file(paths[-1], "w") as file:
            file.write(text.format(**names))
    return tuple(paths)
