"""Models from files: groups, masks and altlocs."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from atomloom.errors import ConfigError, DataError
from atomloom_occupancy import Model

HEAD = "CRYST1   30.000   30.000   30.000  90.00  90.00  90.00 P 1           1\n"


def lines(parts: list[tuple[int, str, int, float]]) -> str:
    """PDB lines: residue number, altloc, number of atoms and occupancy of each part."""
    text, serial = HEAD, 0
    for residue, altloc, count, value in parts:
        for number in range(count):
            serial += 1
            place = f"{residue * 3.0:8.3f}{number * 1.5:8.3f}{3.0 * (altloc == 'B'):8.3f}"
            name = f"C{number + 1}"
            text += f"ATOM  {serial:5d}  {name:3s}{altloc or ' '}ALA A{residue:4d}    {place}{value:6.2f}{20.0:6.2f}"
            text += "           C\n"
    return text


def load(tmp_path: Path, parts: list[tuple[int, str, int, float]]) -> Model:
    """A model of such parts."""
    path = tmp_path / "model.pdb"
    path.write_text(lines(parts))
    return Model(verbose=0).load_pdb_from_file(path)


NINETEEN = [(1, "", 5, 1.0), (2, "", 4, 0.8), (3, "A", 5, 0.6), (3, "B", 5, 0.4)]


def test_groups_and_masks(tmp_path: Path) -> None:
    """Residues and altlocs are groups, and those that are not full are refined."""
    model = load(tmp_path, NINETEEN)
    assert model.occupancy.collapsed_shape == (4,)
    assert model.occupancy.get_refinable_count() == 3


def test_altloc_residues(tmp_path: Path) -> None:
    """Five groups of altlocs and plain residues are five parameters."""
    parts = [(1, "", 4, 1.0), (2, "A", 5, 0.7), (2, "B", 5, 0.3), (3, "A", 4, 0.5), (3, "B", 4, 0.5)]
    assert load(tmp_path, parts).occupancy.collapsed_shape == (5,)


def test_values_that_differ_split_a_residue(tmp_path: Path) -> None:
    """Atoms of one residue and altloc that differ by more than 0.01 do not share."""
    assert load(tmp_path, [(1, "", 2, 0.5), (1, "A", 2, 0.7)]).occupancy.collapsed_shape == (2,)


def test_loading_changes_nothing(tmp_path: Path) -> None:
    """Sums over one stay until they are brought to one on request."""
    model = load(tmp_path, [(1, "A", 3, 0.8), (1, "B", 3, 0.3)])
    np.testing.assert_allclose(model.occupancy().detach().numpy(), [0.8] * 3 + [0.3] * 3)
    assert not model.repairs


def test_altlocs_are_brought_to_one(tmp_path: Path) -> None:
    """On request 0.8 and 0.3 become 0.727 and 0.273, which is said; sums of one and less stay."""
    model = load(tmp_path, [(1, "A", 3, 0.8), (1, "B", 3, 0.3), (2, "A", 2, 0.4), (2, "B", 2, 0.3)])
    assert model.enforce_occ_alternative_conformations() == ["A 1: altlocs added up to 1.10 and now to 1"]
    found = model.occupancy().detach().numpy().round(3).tolist()
    assert found == [0.727] * 3 + [0.273] * 3 + [0.4] * 2 + [0.3] * 2


def test_shared_residues(tmp_path: Path) -> None:
    """A rule couples altlocs of residues."""
    model = load(tmp_path, [(5, "A", 3, 0.6), (5, "B", 3, 0.4), (6, "A", 2, 0.6), (6, "B", 2, 0.4)])
    model.share([{"residues": [(5, "A"), (6, "A")], "share": True}])
    assert model.occupancy.collapsed_shape == (2,)
    with pytest.raises(ConfigError, match="residue 7 of chain A"):
        model.share([{"residues": [(7, "A")], "share": True}])
    with pytest.raises(ConfigError, match="pairs of a number and a chain"):
        model.share([{"residues": [5, 6], "share": True}])
    with pytest.raises(ConfigError, match="'residues' and 'share' alone"):
        model.share([{"residue": [(5, "A")]}])
    rules = [{"residues": [(5, "A"), (6, "A")], "share": True}]
    again = Model(verbose=0).load_pdb_from_file(tmp_path / "model.pdb", rules)
    assert again.occupancy.collapsed_shape == (2,)


def test_compressed_files_and_mmcif(tmp_path: Path) -> None:
    """Gzipped PDB and mmCIF hold the same table."""
    from atomloom_occupancy.examples import crystal

    structure = crystal()
    (tmp_path / "a.pdb.gz").write_bytes(gzip.compress(structure.make_pdb_string().encode()))
    structure.make_mmcif_document().write_file(str(tmp_path / "a.cif"))
    first, second = (Model(verbose=0).load_pdb_from_file(tmp_path / name).pdb for name in ("a.pdb.gz", "a.cif"))
    columns = ["name", "altloc", "resname", "chainid", "resseq", "occupancy", "tempfactor"]
    assert first[columns].equals(second[columns])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nothing\n", "no atoms"),
        (HEAD + lines([(1, "", 1, 1.0)]) + lines([(1, "", 1, 1.0)]).replace(HEAD, ""), "is there twice"),
    ],
)
def test_unusable_models(tmp_path: Path, text: str, found: str) -> None:
    """A file without atoms and one with an atom twice are refused."""
    (tmp_path / "bad.pdb").write_text(text)
    with pytest.raises(DataError, match=found):
        Model(verbose=0).load_pdb_from_file(tmp_path / "bad.pdb")
