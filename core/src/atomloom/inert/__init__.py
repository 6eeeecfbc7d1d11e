"""Reads pickles without running anything that they ask for.

A pickle is a program: ``pickle.load`` imports what it names and calls it. `load` follows the same program but owns
every instruction: a name in the file stays a name, a call of it becomes a `Stub` that records what was to be
called, and only a closed table (plain containers, numpy arrays, dtypes and scalars) is rebuilt for real, by code of
this package and never by the classes that the file names.

>>> import pickle, numpy
>>> loads(pickle.dumps({"cutoff": 0.5, "radii": numpy.arange(3.0)}))
{'cutoff': 0.5, 'radii': array([0., 1., 2.])}
>>> class Evil:
...     def __reduce__(self):
...         return print, ("executed",)
>>> loads(pickle.dumps(Evil()))
Stub('builtins.print', args=1)

`stubs` lists what was not understood, `plain` turns the well-known containers of machine learning (haiku, flax,
optax, jax) among it into dicts, tuples and arrays.
"""

from atomloom.inert.load import load, loads
from atomloom.inert.plain import plain
from atomloom.inert.stub import Stub
from atomloom.inert.walk import stubs

__all__ = ["Stub", "load", "loads", "plain", "stubs"]
