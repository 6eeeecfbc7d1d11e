"""What peers with gemmi share: the atoms of groups by name, and models that start elsewhere."""

import gemmi


def named(structure):
    """Atoms by chain, number, name of residue and atom, and altloc."""
    found = {}
    for cra in structure[0].all():
        parts = cra.chain.name, str(cra.residue.seqid), cra.residue.name, cra.atom.name, cra.atom.altloc.strip("\0")
        found["/".join(parts)] = cra.atom
    return found


def started(path, groups, start):
    """The model with every first state where it shall start, and what is left shared among the others of its group."""
    structure = gemmi.read_structure(path)
    atoms = named(structure)
    for group in groups if start is not None else ():
        for place, state in enumerate(group):
            for name in state:
                atoms[name].occ = start if place == 0 else (1 - start) / (len(group) - 1)
    return structure


def reached(structure, groups):
    """The occupancies of the states of each group."""
    atoms = named(structure)
    return [[atoms[state[0]].occ for state in group] for group in groups]
