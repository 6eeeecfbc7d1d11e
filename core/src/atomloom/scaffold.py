"""Starts a plugin: a small complete package from the text in ``template/``.

``template/common`` holds what every plugin has, each folder beside it a kind of contribution. In names and texts NAME
stands for the plugin's name, so that the template is itself valid Python and TOML.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from atomloom.errors import InputError, TargetError

TEMPLATE = Path(__file__).parent / "template"
PREFIX = "atomloom-"
_COMMON = "common"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def kinds() -> tuple[str, ...]:
    """What a new plugin can bring.

    >>> "reader" in kinds()
    True
    """
    return tuple(sorted(entry.name for entry in TEMPLATE.iterdir() if entry.is_dir() and entry.name != _COMMON))


def start_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write the package ``atomloom-NAME`` into `parent`, whole or not at all; returns its folder.

    Args:
        name: of the plugin, with or without ``atomloom-`` in front: lower-case letters, digits and hyphens.
        kind: one of `kinds()`.
        parent: the folder to make it in.
    """
    from atomloom.runs.atomic import atomic_folder

    plain = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(plain) or keyword.iskeyword(plain):
        found = "it becomes the name of a package: lower-case letters, digits and single hyphens, a letter first"
        raise InputError(f"start a plugin called {name!r}", found, "Choose another name")
    folder = parent / f"{PREFIX}{plain}"
    if folder.exists():
        raise TargetError(f"start a plugin in '{folder}'", "it exists", "Choose another name or folder")
    with atomic_folder(folder) as unfinished:
        for source in (TEMPLATE / _COMMON, TEMPLATE / kind):
            _fill(source, unfinished, plain)
    return folder


def _fill(source: Path, target: Path, name: str) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            written = target / named(path.relative_to(source).as_posix(), name)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(named(path.read_text(encoding="utf-8"), name), encoding="utf-8")


def named(text: str, name: str) -> str:
    """A text of the template with its NAME filled in; in import names hyphens become underscores.

    >>> named("atomloom-NAME is imported as atomloom_NAME", "my-format")
    'atomloom-my-format is imported as atomloom_my_format'
    """
    return text.replace("atomloom_NAME", f"atomloom_{name.replace('-', '_')}").replace("NAME", name)
