"""Sections that a project adds to the report, as data: titles, texts, grids and tables. Pure."""

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
class Row:
    """One line of a table.

    Attributes:
        cells: its texts, by the table's columns.
        tone: ``bad`` marks the line as wrong.
        more: lines below it, which say what is wrong.
    """

    cells: tuple[str, ...]
    tone: Tone = "good"
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        columns: their headings.
        rows: its lines; wrong ones come first where that helps.
        title: its heading; may be empty.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading.

    Attributes:
        title: the heading.
        lead: one or two sentences under it.
        legend: the marks: mark, tone, meaning.
        grids: its grids.
        tables: its tables, below the grids.
    """

    title: str
    lead: str = ""
    legend: tuple[tuple[str, Tone, str], ...] = ()
    grids: tuple[Grid, ...] = ()
    tables: tuple[Table, ...] = ()
