"""The browser that a machine has is found, whatever its system calls it, and what is missing is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.core.errors import PreflightError
from proving_ground.plugin.browser import BROWSERS, Programs, programs


def has(*paths: str) -> Callable[[str], str | None]:
    """A look for programs on a machine that has these."""
    return {Path(path).name: path for path in paths}.get


def test_debians_chromium_is_driven_by_its_own_driver() -> None:
    assert programs(has("/usr/bin/chromium", "/usr/bin/chromedriver")) == Programs(
        "/usr/bin/chromedriver", "/usr/bin/chromium"
    )


def test_chrome_serves_where_there_is_no_chromium() -> None:
    assert programs(has("/usr/bin/google-chrome", "/usr/local/bin/chromedriver")).browser == "/usr/bin/google-chrome"


def test_ubuntus_snap_finds_its_browser_itself() -> None:
    ubuntu = has(
        "/snap/bin/chromium",
        "/snap/bin/chromium.chromedriver",
        "/usr/bin/chromium-browser",
        "/usr/bin/chromedriver",
    )
    assert programs(ubuntu) == Programs("/snap/bin/chromium.chromedriver", None)


def test_a_snap_beside_debians_chromium_is_left_alone() -> None:
    both = has("/usr/bin/chromium", "/usr/bin/chromedriver", "/snap/bin/chromium.chromedriver")
    assert programs(both).driver == "/usr/bin/chromedriver"


@pytest.mark.parametrize(
    ("there", "missing"),
    [([], "chromium and chromedriver"), (["/usr/bin/chromium"], "chromedriver"), (["/bin/chromedriver"], "chromium")],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(there: list[str], missing: str) -> None:
    with pytest.raises(PreflightError, match=f"^browser: {missing} (is|are) not installed — .*: apt-get install chrom"):
        programs(has(*there))


def test_set_up_takes_the_same_browsers_for_granted() -> None:
    text = Path("scripts/setup").read_text(encoding="utf-8")
    wanted = re.search(r"^ *wants chromium (.*)$", text, re.MULTILINE)
    assert wanted is not None
    assert wanted[1].split() == list(BROWSERS)
