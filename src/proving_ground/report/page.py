"""Render the report as one HTML page that loads nothing from outside and runs no program. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from proving_ground.core.redact import redact
from proving_ground.report.chart import duration
from proving_ground.report.facts import Facts
from proving_ground.report.view import view

if TYPE_CHECKING:
    from jinja2 import Template


def render(facts: Facts) -> str:
    """The page of a run; every text on it is scrubbed of secrets and cannot be taken for the page's own."""
    return _template().render(view(facts))


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only a run that writes a report pays for it

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": duration, "quote": quote, "moment": moment, "anchor": anchor}
    return environment.get_template("page.html.j2")


def _clean(value: object) -> object:
    # What has been through here already says so by __html__: the page's own macros.
    return redact(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def moment(seconds: float) -> str:
    """A point in time for a reader."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def anchor(nodeid: str) -> str:
    """The identifier of a test's place on the page."""
    return f"test-{quote(nodeid, safe='')}"
