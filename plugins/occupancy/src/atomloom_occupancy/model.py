"""A model from a file, its atoms in a table and its occupancies in torch; loading changes none of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import gemmi
import pandas as pd
import torch
from torch import Tensor

from atomloom.data.columns import Array
from atomloom_occupancy.grouping import uniform_groups
from atomloom_occupancy.repairing import brought_to_one
from atomloom_occupancy.sharing_rules import joined_by_rules
from atomloom_occupancy.structure import atoms_of, load_structure, occupancies_of
from atomloom_occupancy.tensor import OccupancyTensor

_LOG = logging.getLogger("atomloom.occupancy")
_FULL = 1e-6


class Model:
    """The atoms of a crystal.

    Args:
        verbose: 0 to say nothing, 1 to log what is loaded and repaired.
        dtype: of the occupancies in torch.
        device: where they lie.

    Attributes:
        pdb: one row for each atom, with `name, altloc, resname, chainid, resseq, icode, x, y, z, occupancy`,
            `tempfactor`, `element` and the like.
        occupancy: an `OccupancyTensor`; call it for the occupancies of all atoms.
        repairs: what was changed on request, in sentences.
    """

    pdb: pd.DataFrame
    occupancy: OccupancyTensor
    structure: gemmi.Structure

    def __init__(
        self, verbose: int = 1, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
    ) -> None:
        self.verbose, self.dtype, self.device = verbose, dtype, device
        self.repairs: list[str] = []

    def load_pdb_from_file(self, path: str | Path, sharing_rules: Sequence[dict[str, Any]] = ()) -> Self:
        """Read a PDB or mmCIF file, gzipped or not; every occupancy is that of the file.

        Args:
            path: the file.
            sharing_rules: see `share`.
        """
        self.structure = load_structure(path)
        self.pdb = atom_table(self.structure)
        self.repairs = []
        self.share(sharing_rules)
        self._say(f"{path}: {len(self.pdb)} atoms, {self.occupancy.get_refinable_count()} occupancies to refine")
        return self

    def set_default_masks(self) -> None:
        """Refine the groups whose occupancy is not one, and hold the others."""
        self.occupancy.set_refinable_mask(self._partial())

    def enforce_occ_alternative_conformations(self) -> list[str]:
        """Bring the altlocs of every residue that add up to more than one to one, their ratios kept.

        0.8 and 0.3 become 0.727 and 0.273. What was changed is returned, and added to `repairs`.
        """
        lettered = self.pdb[self.pdb["altloc"] != ""].groupby(["chainid", "resseq", "icode", "name"], sort=False)
        sites = ((f"{chain} {number}{code}", list(part.index)) for (chain, number, code, _), part in lettered)
        values, said = brought_to_one(self.pdb["occupancy"].to_numpy(), sites)
        if said:
            self.pdb["occupancy"] = values
            self._make(values)
            self.repairs += said
            for each in said:
                self._say(each)
        return said

    def share(self, sharing_rules: Sequence[dict[str, Any]]) -> None:
        """Let the residues of each rule have one occupancy for each altloc.

        Args:
            sharing_rules: such as ``[{"residues": [(50, "A"), (51, "A")], "share": True}]``, residue number and chain.
        """
        joined = joined_by_rules(self.pdb, self._create_occupancy_groups(), sharing_rules)
        self._make(self.pdb["occupancy"].to_numpy(), joined)

    def _create_occupancy_groups(self) -> list[list[int]]:
        """The atoms of a residue and altloc share an occupancy where theirs are within 0.01 of each other."""
        return uniform_groups(self.pdb)

    def _make(self, values: Array, groups: list[list[int]] | None = None) -> None:
        groups = self._create_occupancy_groups() if groups is None else groups
        initial = torch.tensor(values, dtype=self.dtype, device=self.device)
        self.occupancy = OccupancyTensor(initial, groups, torch.zeros(len(values), dtype=torch.bool))
        moved = float((self.occupancy().detach() - initial).abs().max()) if len(values) else 0.0
        if moved > _FULL:
            said = f"atoms that share an occupancy differed by up to {moved:.3f} from their mean, which they have now"
            self.repairs.append(said)
            self._say(said)
        self.set_default_masks()

    def _partial(self) -> Tensor:
        held = self.occupancy.collapsed().detach()
        return (held - 1).abs() > _FULL

    def _say(self, text: str) -> None:
        if self.verbose:
            _LOG.info(text)


def atom_table(structure: gemmi.Structure) -> pd.DataFrame:
    """One row for each atom of the first model, in the order of the file."""
    rows = []
    for (chain, residue, atom), occupancy in zip(
        map(_parts, atoms_of(structure)), occupancies_of(structure), strict=True
    ):
        u = atom.aniso
        rows.append(
            {
                "ATOM": "HETATM" if residue.het_flag == "H" else "ATOM",
                "serial": atom.serial,
                "name": atom.name,
                "altloc": atom.altloc.strip("\0"),
                "resname": residue.name,
                "chainid": chain.name,
                "resseq": residue.seqid.num,
                "icode": residue.seqid.icode.strip(),
                "x": atom.pos.x,
                "y": atom.pos.y,
                "z": atom.pos.z,
                "occupancy": occupancy,
                "tempfactor": atom.b_iso,
                "element": atom.element.name,
                "charge": atom.charge,
                "anisou_flag": u.nonzero(),
                **{name: getattr(u, name) for name in ("u11", "u22", "u33", "u12", "u13", "u23")},
            }
        )
    return pd.DataFrame(rows)


def _parts(cra: gemmi.CRA) -> tuple[gemmi.Chain, gemmi.Residue, gemmi.Atom]:
    return cra.chain, cra.residue, cra.atom
