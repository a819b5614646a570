"""pytest-ansible's fixtures and options, by one line in conftest.py; silent while pytest-ansible itself is loaded.

``pytest_plugins = ["proving_ground.compat.pytest_ansible"]``
"""

from __future__ import annotations

import pytest

PLUGIN, TESTINFRA = "pytest-ansible", "pytest11.testinfra"
"""The names by which pytest knows the plugins of pytest-ansible and of testinfra."""

OPTIONS = {
    "inventory": "inventory: a file, a script, a directory, or names of hosts with commas",
    "extra-inventory": "another inventory, whose hosts are added",
    "host-pattern": "the hosts on which ansible_module runs (default: localhost, or all machines of the project)",
    "limit": "limit all hosts to those that match another pattern",
    "connection": "the connection plugin",
    "user": "log in as this user",
    "module-path": "a directory of further modules",
    "become-method": "how to become another user",
    "become-user": "become this user",
}
SWITCHES = {"become": "run modules as another user", "check": "run modules in check mode, which changes nothing"}


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the options, each also with the prefix ``--ansible-``."""
    if pluginmanager.has_plugin(PLUGIN):
        return
    group = parser.getgroup("pytest-ansible", "as of pytest-ansible (proving_ground.compat.pytest_ansible)")
    for name, text in OPTIONS.items():
        flags = [f"--{name}", f"--ansible-{name}"]
        if name == "connection":  # testinfra has --connection
            flags = flags[1:]
        if name == "inventory" and pluginmanager.has_plugin(
            TESTINFRA
        ):  # it has --ansible-inventory; both mean the same
            flags = flags[:1]
        destination = f"ansible_{'subset' if name == 'limit' else name.replace('-', '_')}"
        group.addoption(*flags, dest=destination, metavar=name.rpartition("-")[2].upper(), default=None, help=text)
    for name, text in SWITCHES.items():
        group.addoption(f"--{name}", f"--ansible-{name}", dest=f"ansible_{name}", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Define the marker, and load the fixtures."""
    if config.pluginmanager.has_plugin(PLUGIN):
        return
    config.addinivalue_line(
        "markers", "ansible(**options): options of modules for this test, as ansible_adhoc takes them"
    )
    config.pluginmanager.import_plugin("proving_ground.compat.fixtures")
