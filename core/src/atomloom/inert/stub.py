"""What stands in for everything in a pickle that is not a plain container or an array."""

from __future__ import annotations

from typing import Any


class Stub:
    """A name in a pickle, or what a pickle wanted to make with one; it can do nothing.

    Args:
        module: where the name was to be imported from.
        name: the name within the module, possibly dotted.
        args: what it was to be called with; None where the file only mentions the name.
        kwargs: keyword arguments of that call.
        maker: the stub that was called, where that was itself the result of a call.
        new: whether a class was to be instantiated without calling its ``__init__``.

    Attributes:
        state: what was to become its attributes (or the argument of its ``__setstate__``).
        items: what was to be appended to it.
        entries: the (key, value) pairs that were to be set in it.

    >>> Stub("pathlib", "PosixPath", ("/", "data"))
    Stub('pathlib.PosixPath', args=2)
    """

    __slots__ = ("args", "entries", "items", "kwargs", "maker", "module", "name", "new", "state")

    def __init__(
        self,
        module: str,
        name: str,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        *,
        maker: Stub | None = None,
        new: bool = False,
    ) -> None:
        self.module = module
        self.name = name
        self.args = args
        self.kwargs = kwargs or {}
        self.maker = maker
        self.new = new
        self.state: Any = None
        self.items: list[Any] = []
        self.entries: list[tuple[Any, Any]] = []

    @property
    def path(self) -> str:
        """Module and name, joined by a dot."""
        return f"{self.module}.{self.name}" if self.module else self.name

    def __repr__(self) -> str:
        parts = [repr(self.path)]
        if self.args is not None:
            parts.append(f"args={len(self.args)}")
        for what in ("kwargs", "items", "entries"):
            if held := getattr(self, what):
                parts.append(f"{what}={len(held)}")
        if self.state is not None:
            parts.append(f"state={type(self.state).__name__}")
        return f"Stub({', '.join(parts)})"
