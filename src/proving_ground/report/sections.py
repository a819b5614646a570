"""Sections that a project adds to the report: grids, as data; the page lays them out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "quiet", "bad"]
"""How a mark is shown: as it should be and open, as it should be and closed, or wrong."""


@dataclass(frozen=True)
class Cell:
    """One field of a grid.

    Attributes:
        row: the name of its row.
        column: the name of its column.
        mark: the one or two characters that stand in it; it has to be told apart without its colour.
        tone: how it is shown.
        text: what it means, shown when pointed at.
    """

    row: str
    column: str
    mark: str
    tone: Tone
    text: str


@dataclass(frozen=True)
class Grid:
    """A picture of rows and columns, both in the order in which cells name them.

    Attributes:
        title: what it shows.
        cells: its fields; those that no cell names stay empty.
        remarks: lines under it: what is wrong, in words.
    """

    title: str
    cells: tuple[Cell, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the report under a heading of its own.

    Attributes:
        title: the heading.
        lead: one or two sentences under it.
        legend: what marks mean: mark, tone, meaning.
        grids: its pictures.
    """

    title: str
    lead: str = ""
    legend: tuple[tuple[str, Tone, str], ...] = ()
    grids: tuple[Grid, ...] = ()
