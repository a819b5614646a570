"""What pytest loads of the installed plugin: its options, and all the rest only in a project that asks for it.

A project asks with a table ``[tool.proving-ground]`` in the ``pyproject.toml`` of its root directory. Everywhere else
the plugin has to cost nothing and to change nothing, so this module imports nothing of the package but :mod:`options`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from proving_ground.plugin import options

if TYPE_CHECKING:
    from pathlib import Path

PARTS = (
    *("exit_codes", "session", "xdist.workers", "skip_unconverged", "required_roles", "debug_hints"),
    *("idempotence", "failure_evidence", "health_scan", "flake_budget", "ansible_adhoc", "browser"),
)
"""Modules of this package that have hooks or fixtures."""

TABLE = re.compile(r"""^\s*\[\s*tool\s*\.\s*["']?proving-ground["']?\s*[].]""", re.MULTILINE)
"""How the table begins, or one in it; a text of several lines may hold such a line, too."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in every project: ``--help`` has to show them."""
    options.add(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let a project's conftest implement the hooks, in whichever order the two are loaded."""
    from proving_ground.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(_Last(), "proving-ground-last")


@pytest.hookimpl(tryfirst=True)  # pytest's own plugins go by what is configured here, as by the path of JUnit's results
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest, if the project asks for it."""
    if not is_asked_for(config.rootpath):
        options.refuse(config)
        return
    for part in PARTS:
        config.pluginmanager.import_plugin(f"proving_ground.plugin.{part}")
    config.pluginmanager.import_plugin("proving_ground.report.plugin")


class _Last:
    """Of two plugins that both define ``host`` pytest takes the one that was registered last: testinfra has one too."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Load the fixtures after every other plugin."""
        if is_asked_for(config.rootpath):
            config.pluginmanager.import_plugin("proving_ground.plugin.fixtures")


def is_asked_for(root: Path) -> bool:
    """Whether the project in ``root`` has a table ``[tool.proving-ground]``, even one that cannot be read."""
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if not TABLE.search(text):  # so far it has cost next to nothing, and in most projects that is all
        return False
    import tomllib

    try:
        return "proving-ground" in tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True
