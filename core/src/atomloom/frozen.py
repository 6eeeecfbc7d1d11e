"""Frozen records without the import cost of generated classes.

`Frozen` gives its subclasses what ``@dataclass(frozen=True, kw_only=True)`` would (and type checkers treat them as
such): keyword-only construction, defaults, equality, a readable ``repr``, no assignment. It generates no code, so
that the dozen specs cost next to nothing on the way to ``atomloom --help``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any, NoReturn, Self, dataclass_transform

EMPTY: MappingProxyType[str, Any] = MappingProxyType({})
"""The default of mapping fields: it cannot be changed, so it can be shared."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Frozen:
    """Base of immutable records: annotate the fields, give defaults where there are any.

    >>> class Point(Frozen):
    ...     x: float
    ...     y: float = 0.0
    >>> Point(x=1.0)
    Point(x=1.0, y=0.0)
    >>> Point(x=1.0) == Point(x=1.0, y=0.0), Point(x=1.0).replace(y=2.0)
    (True, Point(x=1.0, y=2.0))
    >>> Point(z=1.0)
    Traceback (most recent call last):
    TypeError: Point() has no field 'z'; its fields are x, y
    """

    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        own = (name for name in cls.__annotations__ if not name.startswith("_"))
        cls._fields = tuple(dict.fromkeys((*cls._fields, *own)))

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        if unknown := values.keys() - set(cls._fields):
            raise TypeError(
                f"{cls.__name__}() has no field {_listed(unknown)}; its fields are {', '.join(cls._fields)}"
            )
        if missing := [name for name in cls._fields if name not in values and not hasattr(cls, name)]:
            raise TypeError(f"{cls.__name__}() needs {_listed(missing)}")
        self.__dict__.update(values)

    def _items(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in self._fields)

    def replace(self, **changes: Any) -> Self:
        """The same record with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    __replace__ = replace

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._items())})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(other, name) == value for name, value in self._items())

    def __hash__(self) -> int:
        return hash((type(self), *(value for _, value in self._items() if isinstance(value, str | tuple))))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: make another one with .replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted")


def _listed(names: Iterable[str]) -> str:
    return " and ".join(repr(name) for name in sorted(names))
