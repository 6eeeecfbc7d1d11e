"""Sphinx settings: MyST pages in the furo theme, built with ``-W -n`` by `nox -s docs`."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "atomloom"
author = "The atomloom developers"
copyright = "The atomloom developers"
release = version = version_of("atomloom")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "_ext.generated", "_ext.api"]
exclude_patterns = ["_build"]
default_role = "code"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"npt.ArrayLike": "ArrayLike", "Array": "Array", "Indices": "Indices"}
napoleon_use_ivar = True
python_use_unqualified_type_names = True
# Types of the standard library, of numpy and of core's own modules stand in signatures as text; links to anything
# that these pages do document are checked.
nitpick_ignore_regex = [(r"py:.*", r"(?!atomloom\.[A-Z]\w*$).*")]

html_theme = "furo"
html_title = f"atomloom {release}"
html_static_path = ["_static"]
html_css_files = ["atomloom.css"]
