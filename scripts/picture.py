"""Draws a terminal with a run: ``scripts/picture.py LOG PICTURE.svg`` reads pytest's output from LOG."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118
LEFT_OUT = ("platform ", "cachedir:", "rootdir:", "configfile:", "plugins:")
"""Beginnings of lines that describe the host, not the run; the picture omits them."""

STYLES = (
    (r"^\[ *[\d.]+ s\]", "cyan"),
    (r"\bdone in [\d.]+ s", "bold"),
    (r"^tests/\S+", "white"),
    (r"(?<= )[.]+(?= |$)", "green"),
    (r"\[ *\d+%\]", "cyan"),
    (r"^=+ .*passed.*", "bold green"),
)


def draw(lines: list[str]) -> str:
    """Return an SVG of a terminal with these lines; longer lines are cut."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in lines:
        text = Text(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…")
        for pattern, style in STYLES:
            text.highlight_regex(pattern, style)
        console.print(text)
    # Remove rich's font, which a reader's browser would load from another site.
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="make integration"), flags=re.DOTALL)


def main(log: Path, picture: Path) -> None:
    """Draw the lines of ``log`` to ``picture``."""
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if not line.startswith(LEFT_OUT)]
    picture.write_text(re.sub(r"[ \t]+$", "", draw(lines), flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
