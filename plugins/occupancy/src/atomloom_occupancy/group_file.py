"""Files of groups in one of four languages: our TOML, REFMAC keywords, Servalcat YAML, phenix parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import gemmi

from atomloom.errors import ConfigError
from atomloom_occupancy.group_building import Builder
from atomloom_occupancy.group_phenix import read_phenix
from atomloom_occupancy.group_refmac import read_refmac
from atomloom_occupancy.group_servalcat import read_servalcat
from atomloom_occupancy.group_toml import read_toml
from atomloom_occupancy.states import Network

_BY_SUFFIX = {".toml": read_toml, ".yaml": read_servalcat, ".yml": read_servalcat}
_BY_CONTENT = (
    (re.compile(r"\bconstrained_group\s*\{|occupancies\s*\{"), read_phenix),
    (re.compile(r"^\s*occu\w*\s+(grou|refi)", re.IGNORECASE | re.MULTILINE), read_refmac),
    (re.compile(r"^\s*occ_groups\s*:", re.MULTILINE), read_servalcat),
    (re.compile(r"^\s*\[\s*states\s*\]", re.MULTILINE), read_toml),
)


def read_groups(path: str | Path, structure: gemmi.Structure) -> Network:
    """The network that a file describes for a model; errors name the line.

    ``.toml`` is ours and ``.yaml`` Servalcat's; the language of any other file is told by its keywords.
    """
    path = Path(path)
    asked = f"read the groups in '{path}'"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(asked, error.strerror or str(error), "Correct the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(asked, "it is no text", "Give TOML, REFMAC keywords, YAML or phenix parameters") from error
    into = Builder(path, structure)
    _language(path, text, asked)(text, into)
    network = into.network()
    if not network.states:
        raise ConfigError(asked, "it names no group of atoms", "Add one, or leave --groups out")
    return network


def _language(path: Path, text: str, asked: str) -> Callable[[str, Builder], None]:
    if path.suffix.lower() in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix.lower()]
    found = next((read for pattern, read in _BY_CONTENT if pattern.search(text)), None)
    if found is None:
        what = "it has neither [states], `occupancy group`, `occ_groups:` nor `constrained_group {`"
        raise ConfigError(asked, what, "Give TOML, REFMAC keywords, Servalcat YAML or phenix parameters")
    return found
