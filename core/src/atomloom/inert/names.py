"""The closed table: the only names in a pickle whose call makes something real.

The table holds code of this package. What the file names is compared with it as text and never imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from atomloom.inert.containers import CONTAINERS, Rebuilder
from atomloom.inert.dtypes import finish_dtype
from atomloom.inert.limits import Budget, Refused
from atomloom.inert.numeric import finish_array, frombuffer, scalar
from atomloom.inert.stub import Stub

Finisher = Callable[[Stub, Any, Budget], Any]

_MODULES: Final = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}
"""Modules that Python 3 or numpy 2 renamed."""

_CALLS: Final[dict[tuple[str, str], Rebuilder]] = {
    **CONTAINERS,
    ("numpy._core.multiarray", "scalar"): scalar,
    ("numpy._core.numeric", "_frombuffer"): frombuffer,
}

_FINISHERS: Final[dict[tuple[str, str], Finisher]] = {
    ("numpy._core.multiarray", "_reconstruct"): finish_array,
    ("numpy", "dtype"): lambda stub, state, budget: finish_dtype(stub, state),
}


def named(module: str, name: str) -> Stub:
    """A name as the current Python spells it."""
    return Stub(_MODULES.get(module, module), name)


def called(function: Any, args: Any, kwargs: dict[str, Any] | None, budget: Budget, *, new: bool = False) -> Any:
    """What a call makes: something from the table, else a `Stub` that records the call."""
    if type(function) is not Stub:
        raise Refused(f"it calls a {type(function).__name__}, which is not a name")
    if type(args) is not tuple:
        raise Refused(f"it calls {function.path} with a {type(args).__name__} for arguments")
    if function.args is not None:
        return Stub(function.module, function.name, args, kwargs, maker=function, new=new)
    rebuild = _CALLS.get((function.module, function.name))
    made = rebuild(args, budget) if rebuild and not kwargs else None
    return Stub(function.module, function.name, args, kwargs, new=new) if made is None else made


def finished(stub: Stub, state: Any, budget: Budget) -> Any:
    """What a stub becomes once its state is known: an array or a dtype, else None."""
    finish = _FINISHERS.get((stub.module, stub.name))
    return finish(stub, state, budget) if finish and stub.args is not None and stub.maker is None else None


def unfinished(value: Any) -> bool:
    """Whether `value` is a stub that its state may turn into something else."""
    return type(value) is Stub and value.args is not None and (value.module, value.name) in _FINISHERS
