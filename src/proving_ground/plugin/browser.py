"""The fixture ``pg_browser``: the host's Chromium or Chrome, headless, with a profile of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from proving_ground.core.extras import require
from proving_ground.core.timeouts import Timeouts
from proving_ground.process.programs import not_installed

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

PAGE_TIMEOUT = 30
"""Seconds in which a page has to load."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Names of browsers, preferred ones first; ``scripts/setup`` installs the first if none is installed."""
SNAP = "chromium.chromedriver"
SEARCHED = f"{os.environ.get('PATH', '')}:/snap/bin"
"""``PATH`` and the directory of snaps: Ubuntu's Chromium is a snap, and some processes lack this directory."""

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # containers and root have no namespaces for Chromium's own sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--window-size=1000,800",
    # Chromium resolves no host name, so it cannot contact its maker's servers.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


class Programs(NamedTuple):
    """Paths of the driver and the browser; no browser if the driver finds it itself."""

    driver: str
    browser: str | None


def look(name: str) -> str | None:
    """Return the path of a program, or None."""
    return shutil.which(name, path=SEARCHED)


def programs(find: Callable[[str], str | None] = look) -> Programs:
    """Return the paths of the driver and of the browser that it drives.

    A snap's driver is confined with its browser and sees no other browser; names in /usr/bin only lead to the snap.

    Args:
        find: returns the path of a program by its name, or None.

    Raises:
        PreflightError: the driver or the browser is missing.
    """
    browser, snap = next((path for name in BROWSERS if (path := find(name))), None), find(SNAP)
    if snap is not None and (find("chromium") or "/snap/").startswith("/snap/"):
        return Programs(snap, None)
    driver = find("chromedriver")
    if browser is None or driver is None:
        missing = [name for name, path in (("chromium", browser), ("chromedriver", driver)) if path is None]
        raise not_installed(*missing, where="browser")
    return Programs(driver, browser)


@pytest.fixture(scope="session")
def pg_webdriver() -> ModuleType:
    """The module ``selenium.webdriver``; raises an error before machines are created if it is not installed."""
    require("selenium", extra="browser", where="pg_browser")
    return import_module("selenium.webdriver")


@pytest.fixture
def pg_browser(pg_webdriver: ModuleType, tmp_path: Path, pg_timeouts: Timeouts) -> Iterator[WebDriver]:
    """A browser with an empty profile; it is closed when the test ends."""
    from selenium.webdriver.chrome.service import Service

    found = programs()
    options = pg_webdriver.ChromeOptions()
    if found.browser is not None:
        options.binary_location = found.browser
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(argument)
    service = Service(found.driver, log_output=str(tmp_path / "chromedriver.log"))
    driver = pg_webdriver.Chrome(options, service)
    driver.set_page_load_timeout(pg_timeouts.seconds(PAGE_TIMEOUT))
    yield driver
    driver.quit()
