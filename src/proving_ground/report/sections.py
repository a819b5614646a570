"""Sections that a project adds to the report, as data: titles, texts and grids. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "quiet", "bad"]
"""How a mark is shown: ``good`` is expected and open, ``quiet`` is expected and closed, ``bad`` is wrong."""


@dataclass(frozen=True)
class Cell:
    """One cell of a grid.

    Attributes:
        row: the name of its row.
        column: the name of its column.
        mark: one or two characters in the cell; a reader has to understand it without its colour.
        tone: its style.
        text: its tooltip.
    """

    row: str
    column: str
    mark: str
    tone: Tone
    text: str


@dataclass(frozen=True)
class Grid:
    """A table of rows and columns, both in the order of first use in the cells.

    Attributes:
        title: its heading.
        cells: its cells; other combinations of row and column stay empty.
        remarks: lines under it that describe what is wrong.
    """

    title: str
    cells: tuple[Cell, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading.

    Attributes:
        title: the heading.
        lead: one or two sentences under it.
        legend: the marks: mark, tone, meaning.
        grids: its grids.
    """

    title: str
    lead: str = ""
    legend: tuple[tuple[str, Tone, str], ...] = ()
    grids: tuple[Grid, ...] = ()
