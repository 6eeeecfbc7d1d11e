"""Where two plugins cannot both have what they declare: fields of one name, and commands that core has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atomloom.registry.records import CORE, Conflict, Contribution


def settle(brought: Iterable[Contribution]) -> tuple[tuple[Contribution, ...], tuple[Conflict, ...]]:
    """The contributions that stand, and the conflicts to report.

    Core's fields and commands stand against a plugin's. A field that is declared twice alike stands once, with the
    aliases of both. Two plugins that declare a field differently both stand, and using it is an error that names both.
    All other contributions may share a name until it is used.
    """
    kept: list[Contribution] = []
    conflicts: list[Conflict] = []
    for new in brought:
        rival = _rival(new, kept)
        if rival is None:
            kept.append(new)
        elif new.kind == "fields" and _alike(new, rival):
            kept[kept.index(rival)] = _merged(rival, new)
        else:
            conflicts.append(Conflict(new.kind, new.spec.name, _message(new, rival)))
            if rival.plugin != CORE or new.kind == "commands":
                kept.append(new)
    return tuple(kept), tuple(conflicts)


def _rival(new: Contribution, kept: Iterable[Contribution]) -> Contribution | None:
    """An earlier contribution of that name, where a name can only be had once."""
    earlier = (each for each in kept if each.kind == new.kind and each.spec.name == new.spec.name)
    if new.kind == "fields":
        return next(earlier, None)
    if new.kind == "commands":
        return next((each for each in earlier if each.plugin == CORE), None)
    return None


def _declared(field: Contribution) -> tuple[object, ...]:
    return field.spec.dims, field.spec.unit, field.spec.dtype


def _alike(one: Contribution, other: Contribution) -> bool:
    return _declared(one) == _declared(other)


def _merged(rival: Contribution, new: Contribution) -> Contribution:
    aliases = tuple(dict.fromkeys((*rival.spec.aliases, *new.spec.aliases)))
    return rival._replace(spec=rival.spec.replace(aliases=aliases))


def _message(new: Contribution, rival: Contribution) -> str:
    name = new.spec.name
    if new.kind == "commands":
        return f"{new.whence} brings a command {name!r}, which core has; it is `atomloom {new.plugin}:{name}`"
    differing = ", ".join(_differences(rival, new))
    return f"{rival.whence} and {new.whence} declare the field {name!r} differently: {differing}"


def _differences(one: Contribution, other: Contribution) -> Iterator[str]:
    for what in ("dims", "unit", "dtype"):
        first, second = getattr(one.spec, what), getattr(other.spec, what)
        if first != second:
            yield f"{what} {_shown(first)} and {_shown(second)}"


def _shown(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else repr(value)
