"""A fitted potential in one file that runs with JAX and flatbuffers alone: no atomloom, no flax, no such package.

The file is a ZIP archive of ``function.bin`` (StableHLO, as `jax.export` writes it, with the parameters inside),
``card.json``, ``LICENSE`` and ``use.py``, which shows how to call it. Numbers of atoms and pairs are left open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from atomloom.data.levels import INDEX
from atomloom.elements import symbol
from atomloom.errors import ConfigError
from atomloom.pipeline import Fitted
from atomloom_jax import reference_energies
from atomloom_jax.precision import precise, precision_of
from atomloom_physnet.model import NETWORK, PARAMETERS, SEEN, computed, level_number

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
"""Where the file runs."""

ARGUMENTS = ("numbers", "positions", "charge", "spin", "dst", "src", "mask", "shift")

USE = '''\
"""Calls an exported potential; needs jax, numpy and flatbuffers alone. Units: angstrom, eV, e."""

import json
import sys
from zipfile import ZipFile

import jax
import numpy as np

archive = ZipFile(sys.argv[1])
card = json.loads(archive.read("card.json"))
jax.config.update("jax_enable_x64", card["precision"] == "float64")
real = np.dtype(card["precision"])
potential = jax.export.deserialize(bytearray(archive.read("function.bin")))

given = json.load(sys.stdin)  # numbers, positions, charge, spin
numbers = np.array(given["numbers"], np.int32)
dst, src = map(np.int32, np.nonzero(~np.eye(len(numbers), dtype=bool)))  # all pairs of different atoms
found = potential.call(
    numbers, np.array(given["positions"], real), np.array([given["charge"]], real),
    np.array([given["spin"]], np.int32), dst, src, np.ones(len(dst), bool), np.zeros((len(dst), 3), real),
)
references = sum(card["element energies (eV)"][card["elements"][str(number)]] for number in given["numbers"])
print(json.dumps({name: np.asarray(values).tolist() for name, values in found.items()} | {"references": references}))
'''


def exported(fitted: Fitted, target: Path, *, about: Mapping[str, Any], licence: str, level: str | None = None) -> Path:
    """Write the file.

    Args:
        target: with the suffix ``.zip``.
        about: what the card says beside what the model knows of itself: the run, its data, their level of theory.
        licence: of the parameters, as a text; whoever fitted them decides.
        level: of theory, where the model was trained on several: a file has one.

    Raises:
        ConfigError: for a model of another kind, a text that is empty, or a target of another suffix.
        DataError: for a level that is missing or unknown.
    """
    asked = f"export a model to '{target}'"
    if find_spec("flatbuffers") is None:
        todo = 'Install it with `pip install "atomloom-physnet[export]"`'
        raise ConfigError(asked, "flatbuffers is not installed", todo)
    if not isinstance(fitted.state, Mapping) or NETWORK not in fitted.state:
        found = f"{fitted.spec.name} is no model of atomloom-physnet"
        raise ConfigError(asked, found, "Name a run of `atomloom train physnet`")
    if not licence.strip():
        raise ConfigError(asked, "nothing says under which licence", "Give the text of a licence")
    if target.suffix != ".zip":
        raise ConfigError(asked, f"its suffix is '{target.suffix}'", "Give a name that ends in .zip")
    number = level_number(fitted.state, level)
    precision = precision_of(jax.tree.leaves(jax.device_get(fitted.state[PARAMETERS])))
    with precise(precision):
        function = _function(fitted, jnp.dtype(precision), number)
    partial = target.with_suffix(".partial")
    with ZipFile(partial, "w", ZIP_DEFLATED) as archive:
        archive.writestr("function.bin", function.serialize())
        archive.writestr("card.json", json.dumps({**card(fitted, precision, number), **about}, indent=2) + "\n")
        archive.writestr("LICENSE", licence)
        archive.writestr("use.py", USE)
    return partial.replace(target)


def card(fitted: Fitted, precision: str, level: int = 0) -> dict[str, Any]:
    """What a user of the file has to know: states and elements, units, arguments, energies that are to be added."""
    seen, known = fitted.state[SEEN], fitted.state[NETWORK].known
    numbers = [int(number) for number in np.flatnonzero(seen["elements"]) if number]
    reach = fitted.model.reach(fitted.state)
    levels = fitted.state[NETWORK].levels
    references = reference_energies(fitted.state, np.array(numbers), level).tolist()
    return {
        "model": fitted.spec.name,
        "precision": precision,
        "elements": {str(number): symbol(number) for number in numbers},
        "charges": (known.charges[0] + np.flatnonzero(seen["charges"])).tolist(),
        "multiplicities": (known.multiplicities[0] + np.flatnonzero(seen["multiplicities"])).tolist(),
        "reach of pairs (angstrom)": reach if reach < math.inf else "all pairs",
        "level of theory": levels[level] if levels else "not said",
        "element energies (eV)": dict(zip(map(symbol, numbers), references, strict=True)),
        "arguments": list(ARGUMENTS),
        "units": {"positions": "angstrom", "energy": "eV", "forces": "eV/angstrom", "charges": "e"},
        "energy": "without the element energies, which are to be added in double precision",
        "unknown states": "give NaN outside of the ranges; states in them that are not listed here were never learnt",
        "made with": {name: version(name) for name in ("atomloom-physnet", "jax")},
    }


def _function(fitted: Fitted, real: Any, level: int) -> export.Exported:
    atoms, pairs = export.symbolic_shape("atoms, pairs")
    whole = jnp.int32
    shapes = [
        jax.ShapeDtypeStruct((atoms,), whole), jax.ShapeDtypeStruct((atoms, 3), real),
        jax.ShapeDtypeStruct((1,), real), jax.ShapeDtypeStruct((1,), whole),
        jax.ShapeDtypeStruct((pairs,), whole), jax.ShapeDtypeStruct((pairs,), whole),
        jax.ShapeDtypeStruct((pairs,), bool), jax.ShapeDtypeStruct((pairs, 3), real),
    ]  # fmt: skip

    def potential(*given: jax.Array) -> dict[str, jax.Array]:
        named = dict(zip(ARGUMENTS, given, strict=True))
        whole = {"batch_segments": jnp.zeros_like(named["numbers"]), INDEX: jnp.array([level])}
        return computed(fitted.state, {**_batch(named), **whole})

    return export.export(jax.jit(potential), platforms=PLATFORMS)(*shapes)


def _batch(named: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    called = ("Z", "R", "total_charge", "total_spin", "dst_idx", "src_idx", "pair_mask", "pair_shift")
    return {name: named[argument] for name, argument in zip(called, ARGUMENTS, strict=True)}
