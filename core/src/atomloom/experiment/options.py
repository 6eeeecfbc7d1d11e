"""Options that plugins define: structs for ``[model]`` and ``[training]``, and the flags of ``atomloom train MODEL``.

A plugin writes its options once, as a msgspec struct whose fields carry a default, bounds and a description. From it
come the checks of the TOML tables, the flags and their help.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from atomloom.errors import PluginError
from atomloom.experiment.check import check, description
from atomloom.experiment.loading import homes
from atomloom.experiment.problems import AsFlags, Place, Problem, flag, refuse
from atomloom.experiment.typed import NONE, nullable, typed
from atomloom.experiment.wording import wanted
from atomloom.experiment.writing import plain_tables

StructT = TypeVar("StructT", bound=msgspec.Struct)

_SCALARS: dict[type[inspect.Type], type] = {
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a plugin's struct, with all that a command-line flag needs.

    Args:
        name: the key in the TOML table, such as ``"num_epochs"``.
        kind: bool, int, float or str; of the items where there are several.
        default: the value if it is not given; None also where it is `required`.
        required: whether it has to be given.
        choices: all values there are, if they are few; empty otherwise.
        help: the description of the field.
        low, high: bounds of a number, None where there is none.
        low_open, high_open: whether the bound itself is out of range.
        several: how many values, separated by commas: None for a single one, 0 for any number.
        nullable: whether ``none`` may be given.
        values: the range of values in words, such as ``"a whole number of at least 1"``.
    """

    name: str
    kind: type
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    help: str = ""
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    several: int | None = None
    nullable: bool = False
    values: str = ""

    @property
    def flag(self) -> str:
        """The command-line flag, such as ``"--num-epochs"``."""
        return flag(self.name)

    @property
    def metavar(self) -> str:
        """What stands for the value in a usage line: ``INT``, ``INT,INT``, ``FLOAT,...``, ``a|b``."""
        one = "|".join(map(str, self.choices)) or ("TEXT" if self.kind is str else self.kind.__name__.upper())
        if self.several is None:
            return one
        return ",".join([one] * self.several) if self.several else f"{one},..."


def build(
    struct_type: type[StructT], table: Mapping[str, Any], where: Place, defaults: Mapping[str, Any] | None = None
) -> StructT:
    """Make a plugin's struct of a TOML table.

    Args:
        struct_type: the struct that the plugin defines.
        table: the keys that the user gave; ``"none"`` stands for None where that is allowed.
        where: the place of the table, such as ``InFile("exp.toml").under("training")``.
        defaults: values that replace defaults of the struct, such as `ModelSpec.training`.

    Raises:
        ConfigError: naming place, key and range of everything in `table` that does not fit.
        PluginError: if `defaults` do not fit.

    >>> from atomloom.experiment import InFile
    >>> class Training(msgspec.Struct):
    ...     num_epochs: int = 100
    >>> build(Training, {"num_epoch": 5}, InFile("exp.toml", ("training",), "[training]\\nnum_epoch = 5"))
    Traceback (most recent call last):
        ...
    atomloom.errors.ConfigError: Cannot use the options: exp.toml:2: `training.num_epoch` is not a known key. \
The nearest known key is `num_epochs`.
    """
    merged = _meant(struct_type, {**(defaults or {}), **table})
    found = list(check(struct_type, merged, homes=homes()))
    _blame_defaults(struct_type, found, table, defaults or {})
    refuse("use the options", found, where)
    return msgspec.convert(merged, struct_type)


def from_flags(
    struct_type: type[StructT], values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> StructT:
    """Make a plugin's struct of command-line values; None means that a flag was not given.

    Texts are read as the field's type, so ``"-2,2"`` makes a tuple of two integers. Errors name flags.
    """
    kinds = {each.encode_name: each.type for each in _fields(struct_type)}
    given = {
        name: typed(value, kinds.get(name, Any)) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
    return build(struct_type, given, AsFlags(), defaults)


def plain(options: msgspec.Struct) -> dict[str, Any]:
    """A struct of options as a TOML table that `build` reads back: all values, also the defaults.

    >>> class Training(msgspec.Struct):
    ...     patience: int | None = 10
    >>> plain(Training(patience=None))
    {'patience': 'none'}
    """
    # None is written as well: left out, it would turn into what a plugin sets instead of the struct's default.
    table = {name: NONE if value is None else value for name, value in msgspec.to_builtins(options).items()}
    return dict(plain_tables(table))


def describe(struct_type: type[msgspec.Struct], defaults: Mapping[str, Any] | None = None) -> tuple[Option, ...]:
    """The options of a struct that a flag can set, in their order.

    A field that holds a table is left out: it has no flag and can be set in a TOML file only.

    >>> from typing import Annotated
    >>> epochs = Annotated[int, msgspec.Meta(ge=1, description="passes over the data")]
    >>> Training = msgspec.defstruct("Training", [("num_epochs", epochs, 100)])
    >>> option = describe(Training, {"num_epochs": 20})[0]
    >>> option.flag, option.default, option.values, option.help
    ('--num-epochs', 20, 'a whole number of at least 1', 'passes over the data')
    """
    replaced = defaults or {}
    fields = _fields(struct_type)
    _blame_defaults(struct_type, check(struct_type, dict(replaced)), {}, replaced)
    options = (_option(each, replaced.get(each.encode_name, _default(each))) for each in fields)
    return tuple(option for option in options if option is not None)


def _default(each: msgspec.structs.FieldInfo) -> Any:
    if each.default_factory is not msgspec.NODEFAULT:
        return each.default_factory()
    return None if each.default is msgspec.NODEFAULT else each.default


def _option(each: msgspec.structs.FieldInfo, default: Any) -> Option | None:
    info = inspect.type_info(each.type)
    shape = _shape(info)
    if shape is None:
        return None
    return replace(
        shape,
        name=each.encode_name,
        default=default,
        required=each.required and default is None,
        help=description(each.type),
        nullable=nullable(each.type),
        values=wanted(info),
    )


def _shape(info: inspect.Type) -> Option | None:
    """What the type alone says about an option; None if no flag can spell its values."""
    match info:
        case inspect.Metadata(type=inner):
            return _shape(inner)
        case inspect.UnionType(types=types):
            return _common([_shape(member) for member in types if not isinstance(member, inspect.NoneType)])
        case inspect.LiteralType(values=values):
            return Option(name="", kind=type(values[0]), choices=tuple(values))
        case inspect.EnumType(cls=cls):
            return Option(name="", kind=str, choices=tuple(member.value for member in cls))
        case inspect.IntType() | inspect.FloatType():
            return _number(info)
        case inspect.BoolType() | inspect.StrType():
            return Option(name="", kind=_SCALARS[type(info)])
        case inspect.TupleType(item_types=items):
            return _several(_common([_shape(item) for item in items]), len(items))
        case inspect.CollectionType(item_type=item):
            return _several(_shape(item), 0)
    return None


def _number(info: inspect.IntType | inspect.FloatType) -> Option:
    low, high = (info.gt if info.ge is None else info.ge), (info.lt if info.le is None else info.le)
    low_open, high_open = info.gt is not None, info.lt is not None
    kind = _SCALARS[type(info)]
    return Option(name="", kind=kind, low=low, high=high, low_open=low_open, high_open=high_open)


def _common(shapes: list[Option | None]) -> Option | None:
    """The shape of several alternatives: their own if they agree, otherwise any text."""
    if not shapes or None in shapes:
        return None
    return shapes[0] if all(shape == shapes[0] for shape in shapes) else Option(name="", kind=str)


def _several(item: Option | None, number: int) -> Option | None:
    return None if item is None or item.several is not None else replace(item, several=number)


def _blame_defaults(
    struct_type: type[msgspec.Struct],
    found: Iterable[Problem],
    table: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> None:
    """Tell the plugin's author, not the user, about what the plugin itself got wrong."""
    for problem in found:
        name = str(problem.key[0]) if problem.key else ""
        if name in defaults and name not in table:
            asked = f"use the default of `{name}` that a plugin sets for {struct_type.__name__}"
            raise PluginError(asked, f"`{name}` {problem.found}", f"The plugin has to be corrected. {problem.todo}")


def _meant(struct_type: type[msgspec.Struct], table: Mapping[str, Any]) -> dict[str, Any]:
    """`table` with None for the word that stands for it in TOML, and without infinities that are defaults anyway."""
    optional = {each.encode_name for each in _fields(struct_type) if nullable(each.type)}
    defaults = ((each.encode_name, each.default) for each in _fields(struct_type))
    usual = {name: value for name, value in defaults if isinstance(value, float) and math.isinf(value)}
    said = {name: value for name, value in table.items() if name not in usual or value != usual[name]}
    return {name: None if value == NONE and name in optional else value for name, value in said.items()}


def _fields(struct_type: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    try:
        return msgspec.structs.fields(struct_type)
    except (NameError, TypeError) as error:
        asked = f"use the options that a plugin declares as {struct_type.__name__}"
        raise PluginError(asked, f"{error}", "The plugin has to be corrected") from error
