"""Files of groups in four languages, states in contact, and constraints that hold."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom.errors import ConfigError
from atomloom_occupancy import examples
from atomloom_occupancy.contacts import join_contacts
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.objective import Restraint
from atomloom_occupancy.phenix_selection import select
from atomloom_occupancy.restraints import parse_restraints, restrained
from atomloom_occupancy.standard_form import Ratio, Together, standard_form
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import atoms_of

TOML = """[states]
1 = ["//A/3-4/*:A"]
2 = ["//A/3-4/*:B"]
3 = ["//B/1", "//W/1"]
[[sets]]
states = ["1", "2"]
[[sets]]
states = ["2", "3"]
complete = false
"""

REFMAC = """! the conformers move together
ncyc 10
occupancy group id 1 chain A residue from 3 to 4 alt A
OCCU GROU ID 2 CHAI A RESI 3 ALT B
occupancy group id 2 chain A -
   residue 4 alt B   # the other half
occupancy group id 3 segm B residue 1
occupancy group id 3 chain W residue 1 atom O
occupancy group alts complete 1 2
occupancy group alts incomplete 2 3
occupancy refine ncycle 5
"""

SERVALCAT = """refine:
  occ_groups:
    - id: 1
      selections: ["A/3-4/*:A"]
    - id: 2
      selections: ["A/3-4/*:B"]
    - id: 3
      selections:
        - "B/1"
        - "W/1"
  occ_group_constraints:
    - ids: [1, 2]
      complete: true
    - ids: [2, 3]
      complete: false
  occ_group_const_mu: 10
"""

PHENIX = """refinement.refine.occupancies {
  constrained_group {
    selection = chain A and resseq 3:4 and altloc A
    selection = (chain 'A' and resid 3 and altid "B") or \\
                (chain A and resid 4 and altid B)
  }
  !constrained_group {
    selection = chain A
  }
  constrained_group { selection = resname LIG or (water and resseq 1) }   # goes in or not
}
"""


def read(tmp_path: Path, name: str, text: str) -> Network:
    """The network of a text for the made-up crystal."""
    (tmp_path / name).write_text(text)
    return read_groups(tmp_path / name, examples.crystal())


@pytest.mark.parametrize(
    ("name", "text"), [("g.toml", TOML), ("g.txt", REFMAC), ("g.yaml", SERVALCAT), ("g.yml", SERVALCAT)]
)
def test_languages_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    """The same groups in TOML, REFMAC keywords and YAML are the same states and sets."""
    found, wanted = read(tmp_path, name, text), read(tmp_path, "w.toml", TOML)
    assert [state.name for state in found.states] == ["1", "2", "3"]
    assert [set(state.atoms) for state in found.states] == [set(state.atoms) for state in wanted.states]
    assert found.sets == wanted.sets == (Together((0, 1), True, "1 + 2"), Together((1, 2), False, "2 + 3"))


def test_phenix_groups(tmp_path: Path) -> None:
    """Selections of a phenix group add up to one, one alone is free, and what is switched off does not count."""
    found, wanted = read(tmp_path, "g.eff", PHENIX), read(tmp_path, "w.toml", TOML)
    assert [set(state.atoms) for state in found.states] == [set(state.atoms) for state in wanted.states]
    assert found.sets == (Together((0, 1), True, "group 1"),)


def test_single_atoms_of_servalcat_and_phenix(tmp_path: Path) -> None:
    """Atoms that are included, or listed as individual, have occupancies of their own."""
    alone = 'atom_selection:\n  occ:\n    include: ["W/*"]\n    exclude: ["W/4"]\n'
    yaml = alone + "occ_groups: [{id: 1, selections: [W/1]}]\n"
    names = [state.name for state in read(tmp_path, "g.yaml", yaml).states]
    assert names == ["1", "W 2 HOH O", "W 3 HOH O"]
    phenix = "occupancies {\n individual = water and not resseq 4\n}\n"
    assert len(read(tmp_path, "g.eff", phenix).states) == 3


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("chain A and resseq :2 and name CA", ["A1", "A2"]),
        ("resid 7 through 8 and name N", ["A7", "A8"]),
        ("not chain A and not resname HOH and name O*", ["B1"]),
        ("element o and resseq 3: and chain W", ["W3", "W4"]),
        ("resseq 1 and (chain W or name C?) and not chain A", ["B1"] * 6 + ["W1"]),
        ("chain B or chain W and resseq 2", ["B1"] * 7 + ["W2"]),
        ("altloc ' ' name CA resid 5", ["A5"]),
    ],
)
def test_phenix_selections(text: str, numbers: list[str]) -> None:
    """Ranges, wildcards, quotes and precedence select what they say."""
    structure = examples.crystal()
    atoms = atoms_of(structure)
    assert [f"{atoms[each].chain.name}{atoms[each].residue.seqid.num}" for each in select(text, atoms)] == numbers


@pytest.mark.parametrize(
    ("name", "text", "line", "found"),
    [
        ("g.txt", "occupancy refine\noccupancy group id 1 chain Z residue 1\n", 2, "names no atom"),
        ("g.txt", "occupancy group id 1 chain A resi 3 alt A\noccupancy group alts complete 1 2\n", 2, "no state '2'"),
        ("g.txt", "occupancy group id 1 chain W resi 3\noccupancy group alts partly 1 2\n", 2, "neither complete"),
        ("g.txt", "occupancy group id 1 chain A resi x\n", 1, "'x' is no residue"),
        ("g.txt", "occupancy group id 1 cain A\n", 1, "'cain' is no keyword.*Did you mean chain"),
        ("g.txt", "occupancy group id 1 chain W\noccupancy group id 2 chain W -\n residue 2\n", 2, "is in '1' and '2'"),
        ("g.yaml", "occ_groups:\n  - id: 1\n    selections: ['Z/1']\n", 3, "names no atom"),
        ("g.yaml", "occ_groups:\n  - id: 1\n    selection: ['A/1']\n", 3, "Did you mean selections"),
        (
            "g.yaml",
            "occ_groups: [{id: 1, selections: [A/1]}]\nocc_group_constraints:\n  - ids: [1, 7]\n",
            3,
            "state '7'",
        ),
        ("g.yaml", "occ_groups: [\n  - id: 1\n", 2, ""),
        ("g.yaml", "occ_groups: 5\n", 1, "no list"),
        ("g.eff", "constrained_group {\n selection = chain A\n selection = resseq x\n}\n", 3, "'x' is no residue"),
        ("g.eff", "constrained_group {\n selection = chain A)\n}\n", 2, "closes that was not opened"),
        ("g.eff", "constrained_group {\n selection = within(3, chain A)\n}\n", 2, "the keyword 'within' is not known"),
        ("g.eff", "constrained_group {\n selection = (chain A\n}\n", 2, "closing parenthesis"),
        ("g.eff", "\noccupancies { constrained_group {\n selection = chain A\n}\n", 2, "does not close"),
        ("g.toml", '[states]\na = ["//W/3"]\n[caps]\na = 2\n', 4, "2 is no cap"),
        ("g.toml", '[states]\na = ["//W/3"]\n[expected]\na = { value = 2, weight = 1 }\n', 4, "2 with the weight 1"),
        ("g.toml", '[states]\na = ["//W/3"]\n[[ratios]]\nstates = ["a", "b"]\nparts = [1, 2]\n', 4, "no state 'b'"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, text: str, line: int, found: str) -> None:
    """Whatever the language, what is wrong is said with its line."""
    with pytest.raises(ConfigError, match=rf"(?s)read line {line} of '.*{name}'.*{found}"):
        read(tmp_path, name, text)


def test_unknown_languages(tmp_path: Path) -> None:
    """A file of no language that is known says which there are."""
    with pytest.raises(ConfigError, match=r"REFMAC keywords, Servalcat YAML or phenix"):
        read(tmp_path, "g.txt", "hello\n")


def test_ratios_caps_and_expectations(tmp_path: Path) -> None:
    """They reach the constraints and the restraint from TOML and from the command line."""
    ratio = '[[ratios]]\nstates = ["1", "3"]\nparts = [2, 1]\n'
    expected = "[expected]\n1 = { value = 0.9, weight = 30 }\n"
    network = read(tmp_path, "g.toml", f"{TOML}{ratio}[caps]\n2 = 0.8\n{expected}")
    assert network.ratios == (Ratio(2, 0, 0.5),)
    assert network.states[1].cap == 0.8
    weight, wishes = parse_restraints(["10", "3=0.2:40"])
    pull = Restraint.of(restrained(network, wishes), weight)
    np.testing.assert_allclose(pull.weight, [40, 10, 50])
    np.testing.assert_allclose(pull.expected, [(0.72 * 10 + 0.9 * 30) / 40, 0.28, (0.63 * 10 + 0.2 * 40) / 50])


@pytest.mark.parametrize(("text", "found"), [("bound=2:3", "2 is not between 0 and 1"), ("x", "could not convert")])
def test_restraints_that_mean_nothing(text: str, found: str) -> None:
    """Values beyond [0, 1] and words are refused."""
    with pytest.raises(ConfigError, match=found):
        parse_restraints([text])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7), st.booleans())
def test_sums_caps_and_ratios_hold(seed: int, many: int, with_ratio: bool) -> None:
    """Whatever is wanted, sets that share a state, caps and ratios hold to 1e-12, and written sums are 1.00."""
    rng = np.random.default_rng(seed)
    sets = (Together((0, 1)), Together((0, *range(2, many + 1)), complete=bool(rng.integers(2))))
    caps = np.where(rng.random(many + 2) < 0.2, 0.5, 1.0)
    caps[:2] = 1.0
    ratios = (Ratio(many + 1, 0, float(rng.uniform(0.1, 0.9))),) if with_ratio else ()
    form = standard_form(caps, sets, ratios)
    point = form.exact(form.nearest(rng.uniform(-0.5, 1.5, many + 2)))
    q = point[: many + 2]
    assert abs(q[:2].sum() - 1) < 1e-12
    assert q[list(sets[1].states)].sum() < 1 + 1e-12
    assert np.all(q >= 0)
    assert np.all(q <= caps + 1e-12)
    assert all(abs(q[each.of] - each.factor * q[each.to]) < 1e-12 for each in ratios)


def test_states_in_contact_are_joined() -> None:
    """A water of one letter beside the ligand's atoms of it, at its occupancy, joins them, and says so."""
    structure = examples.crystal()
    for cra in structure[0].all():
        if cra.chain.name == "B" or (cra.chain.name == "W" and cra.residue.seqid.num == 1):
            cra.atom.altloc = "B"
    network = find_network(structure)
    joined = join_contacts(structure, network)
    assert len(joined.states) == len(network.states) - 1
    state = next(each for each in joined.states if each.name.startswith("B 1 LIG"))
    assert len(state.atoms) == 8
    assert any("In contact" in note for note in joined.notes)


def test_states_that_clash_exclude_one_another() -> None:
    """The water in the ligand's place and the ligand add up to one or less."""
    structure = examples.crystal()
    joined = join_contacts(structure, find_network(structure))
    found = [tuple(joined.states[state].name for state in each.states) for each in joined.sets if not each.complete]
    assert ("B 1 LIG", "W 2 HOH") in found


def test_conformers_of_two_residues_are_joined_by_letter() -> None:
    """Altlocs of residues far apart along the chain that touch become one set."""
    structure = examples.crystal({**examples.TRUTH, "far A": 0.72, "far B": 0.28})
    moved: dict[str, gemmi.Position] = {}
    for cra in structure[0].all():
        if cra.atom.has_altloc() and cra.residue.seqid.num == 4:
            moved[cra.atom.altloc] = cra.atom.pos
    for residue in structure[0]["A"]:
        for atom in [each for each in residue if residue.seqid.num == 7 and each.has_altloc()]:
            if atom.altloc == "C":
                residue.remove_atom(atom.name, atom.altloc, atom.element)
            else:
                atom.pos = moved[atom.altloc] + gemmi.Position(2.5, 0, 0)
    network = find_network(structure)
    joined = join_contacts(structure, network)
    assert [sum(each.complete for each in found.sets) for found in (network, joined)] == [2, 1]
    assert [len(state.atoms) for state in joined.states][:2] == [3, 3]
