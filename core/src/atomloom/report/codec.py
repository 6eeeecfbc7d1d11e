"""Reports as JSON and back.

The file names its format and version, ``major.minor``. A newer major version is refused; of a newer minor version the
blocks that are not known here are kept (`Unknown`) and written back as they were; fields that are not known are
dropped.
"""

from __future__ import annotations

import math
import re
from typing import Any, get_args

import msgspec
import numpy as np

from atomloom.errors import DataError
from atomloom.report.arrays import pack, unpack
from atomloom.report.bins import Hexbin, Histogram
from atomloom.report.blocks import KeyFigures, Links, Table, Text, Unknown
from atomloom.report.categories import Bars, HeatMap
from atomloom.report.document import Report, Section
from atomloom.report.piece import Block
from atomloom.report.series import Curve, Scatter
from atomloom.report.space import Points3D, Surface3D

FORMAT = "atomloom-report"
MAJOR, MINOR = 1, 0

Known = Text | KeyFigures | Table | Links | Curve | Scatter | Hexbin | Histogram | Bars | HeatMap | Points3D | Surface3D
"""Every kind of block."""

TAGS: dict[str, type[Block]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Known)}
"""The ``type`` in the JSON of each kind of block."""

LINE = 110
"""What fits into so many characters stays on one line."""


def to_json(report: Report) -> bytes:
    """The whole report as JSON (UTF-8), readable by people where the arrays are short.

    >>> print(to_json(Report("Dimers")).decode().splitlines()[3])
      "title": "Dimers",
    """
    head = {"format": FORMAT, "version": f"{MAJOR}.{MINOR}"}
    body = _plain(msgspec.structs.replace(report, sections=()))
    sections = [{"title": s.title, "blocks": [_block(block) for block in s.blocks]} for s in report.sections]
    return (_written(head | body | {"sections": sections}, "") + "\n").encode()


def from_json(content: bytes | str) -> Report:
    """The report that `to_json` wrote.

    >>> from_json(to_json(Report("Dimers"))).title
    'Dimers'
    """
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(f"it is not JSON ({error})" if content else "it is empty") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _damaged(f'it does not say "format": "{FORMAT}"')
    _check_version(str(found.get("version", "")))
    try:
        sections = tuple(_section(section) for section in found.pop("sections", []))
        report: Report = _converted(found, Report)
        return msgspec.structs.replace(report, sections=sections)
    except (msgspec.ValidationError, TypeError, AttributeError, KeyError) as error:
        raise _damaged(f"a part of it is not what it should be ({error})") from error


def _check_version(version: str) -> None:
    parts = re.fullmatch(r"(\d+)\.(\d+)", version)
    if not parts:
        raise _damaged(f"its version is {version!r} instead of two numbers")
    if int(parts[1]) > MAJOR:
        found = f"its format is version {version}, and this atomloom knows {MAJOR}.{MINOR}"
        raise DataError("read the report", found, "Upgrade it with `pip install --upgrade atomloom`")


def _damaged(found: str) -> DataError:
    return DataError("read the report", found, "Give a report.json that atomloom wrote")


def _plain(piece: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(piece, enc_hook=_hook)
    return plain


def _hook(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return pack(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a report cannot hold a {type(value).__name__}")


def _block(block: Block) -> dict[str, Any]:
    return block.content if isinstance(block, Unknown) else _plain(block)


def _section(found: dict[str, Any]) -> Section:
    return Section(found["title"], tuple(_read_block(block) for block in found.get("blocks", [])))


def _read_block(found: dict[str, Any]) -> Block:
    kind = TAGS.get(found["type"])
    return Unknown(str(found["type"]), found) if kind is None else _converted(found, kind)


def _converted(found: Any, kind: Any) -> Any:
    return msgspec.convert(found, kind, dec_hook=lambda _, value: unpack(value))


def _written(value: Any, indent: str) -> str:
    inside = indent + "  "
    if not (isinstance(value, dict | list | tuple) and value):
        return _scalar(value)
    flat = not isinstance(value, dict) and not any(isinstance(item, dict | list | tuple) for item in value)
    if flat:
        return "[" + ", ".join(map(_scalar, value)) + "]"
    if isinstance(value, dict):
        parts = [f"{_scalar(str(key))}: {_written(item, inside)}" for key, item in value.items()]
    else:
        parts = [_written(item, inside) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    line = ", ".join(parts)
    if indent and len(line) + len(indent) <= LINE and "\n" not in line:
        return f"{opening}{line}{closing}"
    return f"{opening}\n{inside}" + f",\n{inside}".join(parts) + f"\n{indent}{closing}"


def _scalar(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else ('"Infinity"' if value > 0 else '"-Infinity"')
    return msgspec.json.encode(value).decode()
