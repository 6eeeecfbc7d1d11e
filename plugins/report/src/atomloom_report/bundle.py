"""The scripts of a page, and what lets a browser run these and no others."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Plotly(NamedTuple):
    """plotly.js as a page holds it: compressed, with the hash of what it unpacks to."""

    packed: str
    digest: str


@cache
def plotly() -> Plotly:
    """The plotly.js that comes with the plotly package, gzipped to well under half of its size.

    Browsers unpack it by themselves (DecompressionStream), so a page with plots takes 2 MB instead of 5.
    """
    content = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    return Plotly(base64.b64encode(packed).decode(), digest(content.decode()))


def script(name: str) -> str:
    """One of our own scripts or styles, from the folder ``page``."""
    return (files("atomloom_report") / "page" / name).read_text("utf-8")


def digest(text: str) -> str:
    """The hash by which a content security policy knows an inline script.

    >>> digest("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def policy(digests: list[str]) -> str:
    """A content security policy: nothing from any network, no script but those with these hashes."""
    scripts = " ".join(f"'{each}'" for each in digests) or "'none'"
    return f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
