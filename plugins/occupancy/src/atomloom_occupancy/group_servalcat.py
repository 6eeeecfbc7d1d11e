"""Groups in Servalcat's YAML::

    occ_groups:
      - id: 1
        selections: ["A/145-150/*:A"]
      - id: 2
        selections: ["A/145-150/*:B", "B/301"]
    occ_group_constraints:
      - ids: [1, 2]
        complete: true
    atom_selection:
      occ:
        include: ["W/*"]
        exclude: ["W/7"]

Selections are gemmi's. Atoms that are included and in no group have occupancies of their own; groups are refined
whether or not `include` names their atoms. All this may stand under ``refine:``. What else there is is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from atomloom_occupancy.group_building import Builder, nearest
from atomloom_occupancy.structure import atom_name


def read_servalcat(text: str, into: Builder) -> None:
    """Put what a text says into a network."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = str(getattr(error, "problem", None) or error)
        raise into.error(mark.line + 1 if mark else 1, found, "Correct that line") from error
    top = _table(root, into)
    if "refine" in top:
        top = _table(top["refine"], into)
    taken: set[int] = set()
    for node in _items(top.get("occ_groups"), into):
        taken.update(_group(node, into))
    for node in _items(top.get("occ_group_constraints"), into):
        given = _fields(node, ("ids", "complete"), into)
        ids = [_plain(each, into) for each in _items(given.get("ids"), into)]
        complete = _flag(given["complete"], into) if "complete" in given else True
        if len(ids) > 1 or complete:
            into.together(_line(node), ids, complete)
    if "atom_selection" in top:
        _alone(top["atom_selection"], taken, into)


def _group(node: Any, into: Builder) -> list[int]:
    given = _fields(node, ("id", "selections"), into)
    if "id" not in given or "selections" not in given:
        raise into.error(_line(node), "a group needs an id and selections", "Add what is missing")
    found = [atom for _, atom in _selected(given["selections"], into)]
    if not found:
        raise into.error(_line(node), "the group selects nothing", "Add a selection")
    into.state(_line(node), _plain(given["id"], into), found)
    return found


def _alone(node: Any, taken: set[int], into: Builder) -> None:
    """Every atom that is included, not excluded and in no group."""
    wanted = _table(_table(node, into).get("occ"), into)
    excluded = {atom for _, atom in _selected(wanted.get("exclude"), into)}
    for line, atom in _selected(wanted.get("include"), into):
        if atom not in taken and atom not in excluded:
            taken.add(atom)
            into.state(line, atom_name(into.atoms[atom]), [atom])


def _selected(node: Any, into: Builder) -> list[tuple[int, int]]:
    """The line and the atom of whatever a list of selections names."""
    lines = [(_line(each), _plain(each, into)) for each in _items(node, into)]
    return [(line, atom) for line, text in lines for atom in into.selected(line, text)]


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _table(node: Any, into: Builder) -> dict[str, Any]:
    """The entries of a mapping; none where there is nothing."""
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise into.error(_line(node), "there are no entries `key: value`", "Write it as Servalcat's manual does")
    return {str(key.value): value for key, value in node.value}


def _fields(node: Any, known: Iterable[str], into: Builder) -> dict[str, Any]:
    """A mapping of known keys."""
    found = _table(node, into)
    for key, value in found.items():
        if key not in known:
            raise into.error(_line(value), f"the key {key!r} is not known here", nearest(key, sorted(known)))
    return found


def _items(node: Any, into: Builder) -> list[Any]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise into.error(_line(node), "this is no list", "Write it in brackets, or with a dash before every entry")
    return list(node.value)


def _plain(node: Any, into: Builder) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise into.error(_line(node), "there is more than one value", "Write one")
    return str(node.value)


def _flag(node: Any, into: Builder) -> bool:
    text = _plain(node, into).lower()
    if text not in ("true", "false"):
        raise into.error(_line(node), f"{text!r} is neither true nor false", "Write one of these")
    return text == "true"
