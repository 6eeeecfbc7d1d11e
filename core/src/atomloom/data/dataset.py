"""A data set: named columns over the same frames, nothing of them read before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, final, overload

import numpy as np
import numpy.typing as npt

from atomloom.data.batch import Batch
from atomloom.data.bounded import bounded
from atomloom.data.columns import Array, Column, Indices, Joined, Packed, Padded, PerFrame, Picked
from atomloom.errors import DataError
from atomloom.specs import Field


@final
class Dataset:
    """Frames of a molecular or crystallographic data set.

    Args:
        columns: the values by field name; see `atomloom.data.columns` for the kinds.
        fields: the declaration of each column; one with empty dims is as the reader found it, not yet harmonised.
        meta: what holds for all frames: level of theory, space group, source, ...

    Attributes:
        origin: of a view, the data set that it is of and the frames there; batches are read from that at once.

    >>> water = Dataset.from_frames([{"Z": [8, 1, 1], "E": -76.4}, {"Z": [1, 1], "E": -1.1}])
    >>> len(water), water.take([1])["Z"].tolist()
    (2, [1, 1])
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        fields: Mapping[str, Field],
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.fields = {name: fields[name] for name in self.columns}
        self.meta = dict(meta or {})
        self.origin: tuple[Dataset, Indices] | None = None
        self._frames = _common_length(self.columns)
        _check_sizes(self.columns, self.fields)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, npt.ArrayLike],
        *,
        lengths: Mapping[str, npt.ArrayLike] | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """A data set of declared fields from arrays in memory.

        A ragged field is given padded as ``[frames, longest, ...]`` or packed as ``[total, ...]``, with the `lengths`
        of its axis; without lengths every frame has the full length.
        """
        from atomloom.data.schema import declared

        fields = {name: declared(name) for name in arrays}
        given = {axis: np.asarray(values, dtype=np.int64) for axis, values in (lengths or {}).items()}
        columns = {name: _column(fields[name], np.asarray(values), given) for name, values in arrays.items()}
        return cls(columns, fields, meta)

    @classmethod
    def from_frames(
        cls, frames: Sequence[Mapping[str, npt.ArrayLike]], meta: Mapping[str, Any] | None = None
    ) -> Dataset:
        """A data set of declared fields from one mapping a frame, all with the same keys."""
        from atomloom.data.schema import declared

        if not frames:
            raise DataError("make a data set from frames", "there are no frames", "Give at least one")
        names = list(frames[0])
        odd = next((number for number, frame in enumerate(frames) if set(frame) != set(names)), None)
        if odd is not None:
            found = f"frame 0 has {sorted(names)} and frame {odd} has {sorted(frames[odd])}"
            raise DataError("make a data set from frames", found, "Give every frame the same fields")
        fields = {name: declared(name) for name in names}
        columns: dict[str, Column] = {}
        for name in names:
            columns[name] = _stacked(fields[name], [np.asarray(frame[name]) for frame in frames])
        return cls(columns, fields, meta)

    @cached_property
    def sizes(self) -> dict[str, Indices]:
        """For each ragged axis the length in every frame."""
        return {axis: _lengths(column) for axis, column in self._ragged.items()}

    @cached_property
    def _ragged(self) -> dict[str, Column]:
        """For each ragged axis the first column along it."""
        owners = {self.axis(name): name for name in reversed(self.columns) if self.columns[name].ragged}
        return {axis: self.columns[name] for axis, name in reversed(owners.items())}

    def sizes_of(self, frames: Indices) -> dict[str, Indices]:
        """For each ragged axis the length in these frames, which need not be known of all."""
        return {axis: column.lengths_of(frames) for axis, column in self._ragged.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "sizes"}  # counted again where it arrives

    def __len__(self) -> int:
        return self._frames

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def take(self, frames: npt.ArrayLike, names: Sequence[str] | None = None) -> Batch:
        """The values of these frames in this order; of all fields, or of `names` alone."""
        picked = self._indices(frames)
        chosen = list(self.columns) if names is None else [self._known(name) for name in names]
        arrays = {name: self.columns[name].take(picked) for name in chosen}
        sizes = {axis: lengths[picked] for axis, lengths in self.sizes.items()}
        return Batch(arrays, {name: self.fields[name] for name in chosen}, sizes, len(picked))

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: slice | Sequence[int] | Indices) -> Dataset: ...

    def __getitem__(self, key: str | slice | Sequence[int] | Indices) -> Array | Dataset:
        """``dataset["E"]`` reads one whole field; ``dataset[10:20]``, ``dataset[[3, 1]]`` and masks are lazy views."""
        if isinstance(key, str):
            return self.column(key).take(np.arange(self._frames, dtype=np.int64))
        picked = np.arange(self._frames, dtype=np.int64)[key] if isinstance(key, slice) else self._indices(key)
        sizes = {axis: lengths[picked] for axis, lengths in self.sizes.items()}
        columns = {
            name: Picked(column, picked, sizes[self.axis(name)] if column.ragged else None)
            for name, column in self.columns.items()
        }
        view = Dataset(columns, self.fields, self.meta)
        whole, numbers = self.origin or (self, None)
        view.origin = whole, picked if numbers is None else numbers[picked]
        return view

    def axis(self, name: str) -> str:
        """The ragged axis of a field, which is called like the field where it is not harmonised yet; or nothing."""
        return (self.fields[name].ragged or name) if self.column(name).ragged else ""

    def column(self, name: str) -> Column:
        """The column of a field; an error names those that there are."""
        return self.columns[self._known(name)]

    def blocks(self, size: int = 1024, names: Sequence[str] | None = None) -> Iterator[Batch]:
        """All frames in order, `size` at a time; fewer where they are large, so that memory stays bounded."""
        return (batch for _, batch in self.stretches(range(self._frames), size, names))

    def stretches(
        self, frames: Indices | range, size: int = 1024, names: Sequence[str] | None = None
    ) -> Iterator[tuple[Indices, Batch]]:
        """Some frames as `blocks` gives all of them, each batch with the numbers of its frames."""
        columns = [self.column(name) for name in (self.columns if names is None else names)]
        return ((some, self.take(some, names)) for some in bounded(columns, frames, size))

    def with_columns(self, columns: Mapping[str, Column], fields: Mapping[str, Field]) -> Dataset:
        """This data set with these columns added or exchanged."""
        return Dataset({**self.columns, **columns}, {**self.fields, **fields}, self.meta)

    def without(self, *names: str) -> Dataset:
        """This data set less some fields."""
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return Dataset(kept, self.fields, self.meta)

    def renamed(self, name: str, field: Field) -> Dataset:
        """This data set with the column `name` taken for `field`."""
        columns = {field.name if old == name else old: column for old, column in self.columns.items()}
        fields = {
            field.name if old == name else old: field if old == name else self.fields[old] for old in self.columns
        }
        return Dataset(columns, fields, self.meta)

    def with_meta(self, /, **meta: Any) -> Dataset:
        """This data set with these entries in `meta`."""
        return Dataset(self.columns, self.fields, {**self.meta, **meta})

    def __repr__(self) -> str:
        return f"<Dataset of {self._frames} frames: {', '.join(self.columns) or 'no fields'}>"

    def _known(self, name: str) -> str:
        if name not in self.columns:
            found = f"the data set holds {', '.join(self.columns) or 'no fields'}"
            raise DataError(f"take the field {name!r}", found, "Name one of these")
        return name

    def _indices(self, frames: npt.ArrayLike) -> Indices:
        """Frame numbers, or a mask over all frames, as numbers from 0 up."""
        given = np.atleast_1d(np.asarray(frames))
        if given.dtype == bool and given.shape == (self._frames,):
            return np.flatnonzero(given)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            found = f"{given.dtype} values of shape {given.shape} do not number its {self._frames} frames"
            raise DataError("take frames of a data set", found, "Ask by whole numbers, or by one truth value a frame")
        picked = given.astype(np.int64)
        outside = picked[(picked < -self._frames) | (picked >= self._frames)]
        if outside.size:
            found = f"frame {int(outside[0])} was asked for, and there are {self._frames}"
            raise DataError("take frames of a data set", found, "Count frames from 0")
        return np.where(picked < 0, picked + self._frames, picked)


def concatenate(datasets: Sequence[Dataset]) -> Dataset:
    """Several data sets one behind the other, lazily; all must have the same fields in the same units.

    `meta` keeps what is the same in all of them.
    """
    if not datasets:
        raise DataError("join several sources", "there are none", "Give at least one")
    if len(datasets) == 1:
        return datasets[0]
    first = datasets[0]
    for number, other in enumerate(datasets[1:], start=1):
        called = (_called(first, 0), _called(other, number))
        for name in sorted(set(first.columns) ^ set(other.columns)):
            holder, lacking = called if name in first else called[::-1]
            found = f"{name!r} is in {holder} and not in {lacking}"
            raise DataError("join several sources", found, "Leave the field out of both or bring it into both")
        for name, field in first.fields.items():
            if (field.dims, field.unit) != (other.fields[name].dims, other.fields[name].unit):
                found = f"{name!r} is {_shown(field)} in {called[0]} and {_shown(other.fields[name])} in {called[1]}"
                raise DataError("join several sources", found, "Harmonise each source before joining them")
    columns = {name: Joined([dataset.columns[name] for dataset in datasets]) for name in first.columns}
    meta = {key: value for key, value in first.meta.items() if all(_same(d.meta.get(key), value) for d in datasets)}
    return Dataset(columns, first.fields, meta)


def _column(field: Field, values: Array, lengths: Mapping[str, Indices]) -> Column:
    """An array over all frames, padded or packed, as a column."""
    axis = field.ragged
    packed = axis in lengths and values.ndim == len(field.dims) - 1
    _check_axes(field, values, ("frame",) if not axis else (axis,) if packed else ("frame", axis))
    if not axis:
        return PerFrame(values)
    if packed:
        return Packed(values, lengths[axis])
    return Padded(PerFrame(values), lengths.get(axis, np.full(len(values), values.shape[1], dtype=np.int64)))


def _stacked(field: Field, rows: Sequence[Array]) -> Column:
    """One array a frame as a column."""
    for row in rows:
        _check_axes(field, row, (field.ragged,) if field.ragged else ())
    if field.ragged:
        return Packed(np.concatenate(rows), np.array([len(row) for row in rows], dtype=np.int64))
    if len({row.shape for row in rows}) > 1:
        found = f"{field.name} has shape {rows[0].shape} in frame 0 and other shapes in others"
        raise DataError("make a data set from frames", found, "Give it the same shape in every frame")
    return PerFrame(np.stack(rows))


def _check_axes(field: Field, values: Array, free: tuple[str, ...]) -> None:
    """Stops at values that do not have the axes `free` of any length, followed by the others of `field`."""
    wanted = (*free, *(dim for dim in field.dims if dim not in {"frame", field.ragged}))
    sizes = values.shape if values.ndim == len(wanted) else ()
    if values.ndim != len(wanted) or any(dim == "xyz" and size != 3 for dim, size in zip(wanted, sizes, strict=True)):
        found = f"its shape is {list(values.shape)}"
        raise DataError(f"make a data set with {field.name}", found, f"Give it as [{' x '.join(wanted)}]")


def _common_length(columns: Mapping[str, Column]) -> int:
    lengths = {name: column.frames for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise DataError(
            "make a data set", f"its fields disagree in their number of frames: {counted}", "Make them agree"
        )
    return next(iter(lengths.values()), 0)


def _check_sizes(columns: Mapping[str, Column], fields: Mapping[str, Field]) -> None:
    """Stops where two fields along one axis differ in their lengths; those of one source are not counted for it."""
    first: dict[str, str] = {}
    for name, column in columns.items():
        if not column.ragged:
            continue
        axis = fields[name].ragged or name
        owner = first.setdefault(axis, name)
        if owner != name and not columns[owner].as_long_as(column):
            known, other = _lengths(columns[owner]), _lengths(column)
            odd = int(np.flatnonzero(known != other)[0])
            found = f"in frame {odd} {owner!r} has {known[odd]} rows and {name!r} has {other[odd]}"
            raise DataError(f"bring fields with the axis {axis!r} together", found, "Make their lengths agree")


def _lengths(column: Column) -> Indices:
    assert column.lengths is not None, "only ragged columns are asked"
    return column.lengths


def _same(one: Any, other: Any) -> bool:
    """Whether two entries of `meta` are equal, arrays among them."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return type(one) is type(other) and np.array_equal(one, other)
    return bool(one == other)


def _called(dataset: Dataset, number: int) -> str:
    """What a person knows a source by: its file, or its place among the others."""
    source = dataset.meta.get("source")
    return f"'{source}'" if isinstance(source, str) else f"source {number}"


def _shown(field: Field) -> str:
    return f"[{' '.join(field.dims)}] in {field.unit or 'no unit'}"
