"""Render the report as one HTML page that loads no other file and runs no script. Pure."""

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
    """Return the page of a run; the template removes secrets from every text and escapes it."""
    return _template().render(view(facts))


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not at the top: few runs write a report

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
    # Texts with __html__ are results of the page's macros, and have passed this function already.
    return redact(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def moment(seconds: float) -> str:
    """Format a time (seconds since 1970) as date and time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def anchor(nodeid: str) -> str:
    """Return the HTML id of a test on the page."""
    return f"test-{quote(nodeid, safe='')}"
