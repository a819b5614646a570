"""The fixtures of pytest-ansible, run by ansible-runner."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from proving_ground.compat.hosts import HostManager, ModuleDispatcher, Options
from proving_ground.compat.results import AdHocResult
from proving_ground.core.project import read_project
from proving_ground.core.settings import Settings
from proving_ground.core.table import is_asked_for

NAMES = ("ansible_adhoc", "ansible_facts", "ansible_group", "ansible_host", "ansible_module")
"""Fixtures that use the inventory; ``localhost`` has its own."""


def said(config: pytest.Config) -> dict[str, Any]:
    """Return the options of the command line that were given."""
    names = {
        name: f"ansible_{name}" for name in Options.__dataclass_fields__ if name not in {"settings", "interpreter"}
    }
    found = {name: getattr(config.option, destination, None) for name, destination in names.items()}
    return {name: value for name, value in found.items() if value}


def uses_machines(config: pytest.Config, marked: dict[str, Any]) -> bool:
    """Return whether modules run on the machines of the project, as it has some and nobody named an inventory."""
    return is_asked_for(config.rootpath) and not ({**said(config), **marked}.keys() & {"inventory"})


def options_of(config: pytest.Config, marked: dict[str, Any]) -> Options:
    """Return the options of a test: of the command line, then of its marker ``ansible``."""
    if uses_machines(config, marked):
        from proving_ground.plugin.run import run_of

        settings = run_of(config).settings
        options = Options(settings, str(settings.inventory_file), host_pattern="all", subset=settings.limit or None)
    else:
        options = Options(Settings(config.rootpath, "modules", project=read_project(config.rootpath)))
    return replace(options, **{**said(config), **Options.known(marked)})


def marked_with(node: Any) -> dict[str, Any]:
    """Return the options in the marker ``ansible`` of a test."""
    marker = node.get_closest_marker("ansible")
    return dict(marker.kwargs) if marker is not None else {}


@pytest.fixture
def ansible_adhoc(request: pytest.FixtureRequest) -> Callable[..., HostManager]:
    """Makes a manager of hosts: ``ansible_adhoc(inventory="hosts", user="admin").web.ping()``."""
    marked = marked_with(request.node)

    def manage(**options: Any) -> HostManager:
        return HostManager(replace(options_of(request.config, marked), **Options.known(options)))

    return manage


@pytest.fixture
def ansible_module(ansible_adhoc: Callable[..., HostManager]) -> ModuleDispatcher:
    """Runs modules on the hosts of ``--host-pattern``: ``ansible_module.ping()``."""
    manager = ansible_adhoc()
    return manager[manager.options.host_pattern]


@pytest.fixture
def ansible_facts(ansible_module: ModuleDispatcher) -> AdHocResult:
    """The facts of these hosts, the result of the module ``setup``."""
    return ansible_module.setup()


@pytest.fixture
def localhost(request: pytest.FixtureRequest) -> ModuleDispatcher:
    """Runs modules on this host: ``localhost.command("date")``."""
    here = {"inventory": "localhost,", "connection": "local", "host_pattern": "localhost"}
    options = options_of(request.config, {**marked_with(request.node), **here})
    return HostManager(replace(options, extra_inventory=None, subset=None, interpreter=sys.executable)).localhost


@pytest.fixture
def ansible_host(request: pytest.FixtureRequest) -> ModuleDispatcher:
    """Runs modules on one host; the test runs for each host of ``--host-pattern``."""
    return HostManager(options_of(request.config, marked_with(request.node)))[request.param]


@pytest.fixture
def ansible_group(request: pytest.FixtureRequest) -> ModuleDispatcher:
    """Runs modules on one group; the test runs for each group of the inventory."""
    return HostManager(options_of(request.config, marked_with(request.node)))[request.param]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``ansible_host`` and ``ansible_group`` over the inventory."""
    wanted = {"ansible_host", "ansible_group"} & set(metafunc.fixturenames)
    if wanted:
        names = dict(parameters(metafunc.config, marked_with(metafunc.definition)))
        for name in sorted(wanted):
            metafunc.parametrize(name, names[name], ids=names[name], indirect=True)


def parameters(config: pytest.Config, marked: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the names for ``ansible_host`` and for ``ansible_group``."""
    if uses_machines(config, marked):
        from proving_ground.plugin.run import run_of

        plan = run_of(config).plan
        yield "ansible_host", [node.name for node in plan.nodes]
        yield "ansible_group", list(plan.groups)
        return
    options = HostManager(options_of(config, marked)).options
    yield "ansible_host", options.names(options.host_pattern)
    yield "ansible_group", [name for name in options.manager.list_groups() if options.names(name)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that use the project's machines wait for their converge, as tests with ``host`` do."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        if set(NAMES) & set(names) and "pg_converged" not in names and uses_machines(item.config, marked_with(item)):
            names.insert(0, "pg_converged")
