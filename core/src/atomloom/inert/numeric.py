"""Rebuilds numpy arrays and scalars from the bytes in a pickle, without copying them.

Every array is a read-only view of bytes that the file really holds, so a declared shape can cost nothing.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from atomloom.inert.limits import Budget, Refused
from atomloom.inert.stub import Stub

_POINTER = 8
_SUBTYPES = frozenset({"numpy.ndarray", "numpy.memmap", "numpy.recarray", "numpy.rec.recarray"})
"""Array classes whose state is that of a plain array; `numpy.core.records` had the last one elsewhere."""


def finish_array(stub: Stub, state: Any, budget: Budget) -> np.ndarray[Any, Any] | None:
    """The array of ``_reconstruct(ndarray, (0,), b"b")`` and its state, ``(version, shape, dtype, fortran, data)``.

    None where the class or the dtype is not numpy's own: the stub then keeps the state.
    """
    subtype = (stub.args or (None,))[0]
    if not isinstance(subtype, Stub) or subtype.args is not None or subtype.path not in _SUBTYPES:
        return None
    if type(state) is not tuple or len(state) not in (4, 5):
        raise Refused("the state of an array has a form that numpy never wrote")
    shape, dtype, fortran, data = state[-4:]
    if isinstance(dtype, Stub):
        return None
    order = "F" if fortran else "C"
    if isinstance(dtype, np.dtype) and dtype.hasobject:
        return _objects(stub, shape, order, data, budget)
    return _view(shape, dtype, order, data, budget)


def frombuffer(args: tuple[Any, ...], budget: Budget) -> np.ndarray[Any, Any] | None:
    """``_frombuffer(data, dtype, shape, order[, axes])``, which is how protocol 5 writes an array."""
    if len(args) not in (4, 5) or isinstance(args[1], Stub):
        return None
    data, dtype, shape, order = args[:4]
    axes = args[4] if len(args) == 5 else None
    if order == "K" and axes is not None:
        return _view(shape, dtype, "C", data, budget).transpose(axes)
    if order not in ("C", "F"):
        raise Refused("an array has an unknown order")
    return _view(shape, dtype, order, data, budget)


def scalar(args: tuple[Any, ...], budget: Budget) -> Any:
    """``scalar(dtype, data)``: one number, date or record."""
    if len(args) != 2 or isinstance(args[0], Stub):
        return None
    dtype, data = args
    if isinstance(dtype, np.dtype) and dtype.kind in "SU" and not dtype.itemsize:
        return dtype.type()
    return _view((), dtype, "C", data, budget)[()]


def _size(shape: Any) -> int:
    if type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
        raise Refused("the shape of an array is not made of whole numbers")
    return math.prod(shape)


def _view(shape: Any, dtype: Any, order: Any, data: Any, budget: Budget) -> np.ndarray[Any, Any]:
    if not isinstance(dtype, np.dtype) or dtype.hasobject or dtype.subdtype is not None:
        raise Refused("the dtype of an array is not one that plain data has")
    data = data.encode("latin-1") if type(data) is str else data
    if type(data) not in (bytes, bytearray):
        raise Refused("the data of an array are not bytes")
    size = _size(shape)
    if len(data) != size * dtype.itemsize:
        raise Refused(f"an array declares {size} items of {dtype.itemsize} bytes and comes with {len(data)} bytes")
    if not dtype.itemsize:
        budget.spend(size)
    array: np.ndarray[Any, Any] = np.ndarray(shape, dtype, buffer=data, order=order)
    if dtype.kind == "U" and size:
        _check_text(dtype, data)
    array.flags.writeable = False
    return array


def _check_text(dtype: np.dtype[Any], data: bytes | bytearray) -> None:
    """Numbers that are no characters would make numpy fail whenever such a text is looked at."""
    if np.frombuffer(data, dtype.str[0] + "u4").max(initial=0) > sys.maxunicode:
        raise Refused("a text has characters that do not exist")


def _objects(stub: Stub, shape: Any, order: Any, data: Any, budget: Budget) -> np.ndarray[Any, Any]:
    """An array of decoded values; where it holds itself, the stub that stood for it is replaced."""
    if type(data) is not list:
        raise Refused("the data of an array of objects are not a list")
    size = _size(shape)
    if len(data) != size:
        raise Refused(f"an array declares {size} objects and comes with {len(data)}")
    budget.spend(3 * _POINTER * size)
    flat = np.empty(size, object)
    array = flat.reshape(shape, order=order)
    places = np.arange(size).reshape(shape).ravel(order).tolist()  # the list is in C order whatever the array's is
    budget.nest(id(array), [id(value) for value in data if isinstance(value, np.ndarray)])
    for at, place in enumerate(places):
        value = data[place]
        flat[at] = array if value is stub else value
    return array
