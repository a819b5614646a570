"""Sphinx's configuration: ``tox -e docs`` builds the site from the pages in this directory, without a network."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]

project = "Proving Ground"
project_copyright = "the authors of Proving Ground"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"Proving Ground {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def link_examples(_: Sphinx, __: str, source: list[str]) -> None:
    """Point links to the directory of an example to its page, since a site has no directories to show."""
    source[0] = re.sub(r"\]\((?:\.\./)+examples/([a-z-]+)\)", r"](/examples/\1.md)", source[0])


def setup(app: Sphinx) -> None:
    """Let Sphinx call what this file defines."""
    app.connect("source-read", link_examples)
