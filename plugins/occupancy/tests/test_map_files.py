"""Maps and the scripts that open them."""

from __future__ import annotations

import re
from pathlib import Path

import gemmi
import pytest

from atomloom_occupancy import examples
from atomloom_occupancy.job import Job, run


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a refinement of the made-up crystal writes."""
    folder = tmp_path_factory.mktemp("maps")
    run(Job(examples.pdb_file(folder), examples.mtz_file(folder), folder / "out"))
    return folder / "out"


def test_density_is_where_the_atoms_are(out: Path) -> None:
    """At the atoms of the peptide the map of the whole is well above its mean, around all of the model."""
    grid = gemmi.read_ccp4_map(str(out / "2mfo-dfc.ccp4"), setup=True).grid
    structure = gemmi.read_structure(str(out / "refined.pdb"))
    assert all(grid.interpolate_value(cra.atom.pos) > 1 for cra in structure[0].all() if cra.atom.occ == 1)


def test_both_files_hold_the_same_maps(out: Path) -> None:
    """Both maps of the MTZ file are those of the CCP4 files, point by point."""
    mtz = gemmi.read_mtz_file(str(out / "refined.mtz"))
    for name, labels in (("2mfo-dfc", ("FWT", "PHWT")), ("mfo-dfc", ("DELFWT", "PHDELWT"))):
        drawn = gemmi.read_ccp4_map(str(out / f"{name}.ccp4"), setup=True).grid
        made = mtz.transform_f_phi_to_map(*labels, sample_rate=3.0)
        made.normalize()
        for cra in gemmi.read_structure(str(out / "refined.pdb"))[0].all():
            assert drawn.interpolate_value(cra.atom.pos) == pytest.approx(
                made.interpolate_value(cra.atom.pos), abs=0.02
            )


@pytest.mark.parametrize("script", ["view_coot.py", "view.pml", "view.cxc"])
def test_scripts_open_what_is_there(out: Path, script: str) -> None:
    """Every file that a script names lies beside it, and that of Coot is Python."""
    text = (out / script).read_text()
    named = set(re.findall(r"[\w-]+\.(?:pdb|mtz|ccp4)", text))
    assert len(named) >= 2
    assert all((out / name).is_file() for name in named)
    if script.endswith(".py"):
        compile(text, script, "exec")
