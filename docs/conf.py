"""Sphinx settings: MyST pages in the furo theme, built with ``-W -n`` by `nox -s docs`."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "atomloom"
author = "The atomloom developers"
copyright = "The atomloom developers"
release = version = version_of("atomloom")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "description"
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"atomloom {release}"
