"""Lay out the report's pictures: bars on lanes over time, and grids, in the picture's own units. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proving_ground.report.sections import Cell, Grid

WIDTH = 1000.0
LANE = 24.0
BAR = 16.0
CHARACTER = 6.6
"""The approximate width of a character in the pictures' font size."""

SIDE = 24.0
"""The side of a grid's cell."""

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Possible seconds between two lines of a picture; the first that makes at most :data:`MOST_LINES` steps is used."""

MOST_LINES = 8


@dataclass(frozen=True)
class Span:
    """An interval: start and end in seconds, its tone (CSS class), its tooltip, its label."""

    start: float
    end: float
    tone: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class Bar:
    """A drawn span: position, width, tone, tooltip, and its label with position and text anchor."""

    x: float
    y: float
    width: float
    tone: str
    text: str
    label: str
    label_x: float
    anchor: str


@dataclass(frozen=True)
class Lane:
    """A named row of bars; ``y`` is its vertical middle."""

    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """Lanes on a common time axis, with lines at round seconds: (x, label)."""

    width: float
    height: float
    gutter: float
    lanes: tuple[Lane, ...]
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class GridPicture:
    """A drawn grid: its size, and its names and cells with their positions."""

    title: str
    width: float
    height: float
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    cells: tuple[tuple[float, float, Cell], ...]
    gutter: float
    head: float
    remarks: tuple[str, ...]
    wrong: bool


def chart(lanes: Sequence[tuple[str, Sequence[Span]]]) -> Chart | None:
    """Lay out the lanes from the first start to the last end; None if there are no spans."""
    spans = [span for _, members in lanes for span in members]
    if not spans:
        return None
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    length = max(end - start, 0.001)
    gutter = 12 + CHARACTER * max(len(name) for name, _ in lanes)
    scale = (WIDTH - gutter) / length
    drawn = tuple(
        Lane(name, y, tuple(_bar(span, gutter + (span.start - start) * scale, y, scale) for span in members))
        for number, (name, members) in enumerate(lanes)
        for y in [LANE * (number + 0.5)]
    )
    lines = tuple((gutter + seconds * scale, duration(seconds)) for seconds in round_seconds(length))
    return Chart(WIDTH, LANE * len(lanes) + 20, gutter, drawn, lines)


def _bar(span: Span, x: float, y: float, scale: float) -> Bar:
    width = max((span.end - span.start) * scale, 1.5)
    needed = CHARACTER * len(span.label) + 8
    if needed <= width:
        label_x, anchor = x + width / 2, "middle"
    elif x + width + needed <= WIDTH:
        label_x, anchor = x + width + 4, "start"
    else:
        label_x, anchor = x - 4, "end"
    return Bar(x, y - BAR / 2, width, span.tone, span.text, span.label, label_x, anchor)


def round_seconds(length: float) -> Iterator[float]:
    """Yield round numbers of seconds from 0 to ``length``, at most :data:`MOST_LINES` steps."""
    step = next((step for step in STEPS if length / step <= MOST_LINES), STEPS[-1])
    number = 0
    while number * step <= length:
        yield number * step
        number += 1


def duration(seconds: float) -> str:
    """Format seconds: ``0.4 s``, ``12 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest:02d} min" if rest else f"{hours} h"


def grid_picture(grid: Grid) -> GridPicture:
    """Lay out a grid."""
    rows = list(dict.fromkeys(cell.row for cell in grid.cells))
    columns = list(dict.fromkeys(cell.column for cell in grid.cells))
    gutter = 10 + CHARACTER * max((len(name) for name in rows), default=0)
    # Columns' names are at 45 degrees: each needs 0.71 of its length, upwards and to the right.
    longest = max((len(name) for name in columns), default=0)
    head = 14 + 0.71 * CHARACTER * longest
    at_row = {name: head + SIDE * number for number, name in enumerate(rows)}
    at_column = {name: gutter + SIDE * number for number, name in enumerate(columns)}
    return GridPicture(
        grid.title,
        gutter + SIDE * len(columns) + 0.71 * CHARACTER * longest,
        head + SIDE * len(rows) + 2,
        tuple((y + SIDE / 2, name) for name, y in at_row.items()),
        tuple((x + SIDE / 2, name) for name, x in at_column.items()),
        tuple((at_column[cell.column], at_row[cell.row], cell) for cell in grid.cells),
        gutter,
        head,
        grid.remarks,
        any(cell.tone == "bad" for cell in grid.cells),
    )
