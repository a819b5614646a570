"""Beside pytest-testinfra, -xdist, -ansible, -django, -playwright and -docker: theirs is theirs, ``host`` is ours."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from testing.installed.environments import Environment, write
from testing.installed.test_without_extras import TOPOLOGY

CONFTEST = """
import shutil
import pytest

@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
"""

TESTS = """
import os
import pytest

def test_ansible(ansible_adhoc):
    found = ansible_adhoc(inventory="localhost,", connection="local").all.ping()
    assert [result["ping"] for result in found.values()] == ["pong"]

def test_django(settings):
    from django import conf
    settings.EMAIL_HOST = "elsewhere"
    assert conf.settings.EMAIL_HOST == "elsewhere"

def test_django_was_put_back():
    from django import conf
    assert conf.settings.EMAIL_HOST == "localhost"

def test_playwright(browser):
    page = browser.new_page()
    page.set_content("<title>theirs</title>")
    assert page.title() == "theirs"

def test_docker(docker_ip, docker_compose_project_name):
    assert docker_ip == "127.0.0.1"
    assert str(os.getpid()) in docker_compose_project_name
"""

NAMES = [f"test_it.py::{name}" for name in re.findall(r"def (test_\w+)", TESTS)]

TESTINFRA = """
def test_local(host):
    assert host.backend.get_connection_type() == "local"
    assert host.file("/etc/passwd").exists
"""

HOSTS = """
import pytest

@pytest.mark.hosts("web")
def test_web(host): pass
"""

ORDERS = (("pytest11.testinfra", "proving-ground"), ("proving-ground", "pytest11.testinfra"))
TABLE = "[tool.proving-ground]\nsteps = false\n"


def written(directory: Path, *, table: bool, **files: str) -> Path:
    """A project, with the table and a topology or without."""
    write(directory, pyproject__toml=TABLE if table else "", site__yml="[]\n", **files)
    if table:
        write(directory / "topology", default__yml=TOPOLOGY)
    return directory


def in_order(*names: str) -> list[str]:
    return [word for name in names for word in ("-p", name)]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="pytest-playwright needs a browser; scripts/setup gets it")
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize("table", [False, True], ids=["inert", "active"])
def test_fixtures_of_others_are_theirs(
    crowded: Environment, tmp_path: Path, workers: tuple[str, ...], *, table: bool
) -> None:
    settings = {"their_settings__py": "SECRET_KEY = 'x'\n"}
    project = written(tmp_path / "project", table=table, conftest__py=CONFTEST, test_it__py=TESTS, **settings)
    done = crowded.pytest(project, "-rA", *workers, PYTHONPATH=".", DJANGO_SETTINGS_MODULE="their_settings")
    assert done.code == 0, done.text
    assert sorted(name.partition("[")[0] for name in done.passed()) == sorted(NAMES)
    assert ("proving ground: topology default" in done.output) is table
    assert (project / "artifacts").exists() is table


OTHERS = ("xdist", "pytest-ansible", "django", "playwright", "docker")


@pytest.mark.parametrize("order", [("proving-ground", *OTHERS), (*OTHERS, "proving-ground")], ids=["first", "last"])
def test_no_option_is_defined_twice_in_whichever_order(
    crowded: Environment, tmp_path: Path, order: tuple[str, ...]
) -> None:
    done = crowded.pytest(written(tmp_path / "project", table=True), *in_order(*order), "--help")
    assert done.code == 0, done.text
    for option in ("--pg-keep", "--ansible-inventory", "--ds=", "--browser=", "--container-scope", "--numprocesses"):
        assert option in done.output


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_without_the_table_host_is_testinfras(
    with_machines: Environment, tmp_path: Path, order: tuple[str, str]
) -> None:
    project = written(tmp_path / "project", table=False, test_it__py=TESTINFRA)
    done = with_machines.pytest(project, "-rA", *in_order(*order))
    assert done.code == 0, done.text
    assert done.passed() == ["test_it.py::test_local[local]"]


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_with_the_table_host_is_a_machine(with_machines: Environment, tmp_path: Path, order: tuple[str, str]) -> None:
    project = written(tmp_path / "project", table=True, test_it__py=HOSTS)
    done = with_machines.pytest(project, "--fixtures-per-test", *in_order(*order))
    assert done.code == 0, done.text
    assert "fixtures used by test_web[web-01]" in done.output
    (place,) = re.findall(r"^host -- (\S+):\d+$", done.output, re.MULTILINE)
    assert place.endswith("proving_ground/plugin/fixtures.py")


def test_workers_of_xdist_are_theirs_without_the_table(with_machines: Environment, tmp_path: Path) -> None:
    """Their own distribution: test by test, and not by groups of ours."""
    test = "def test_it(worker_id): assert worker_id != 'master'"
    done = with_machines.pytest(written(tmp_path / "project", table=False, test_it__py=test), "-n1", "-v")
    assert done.code == 0, done.text
    assert "scheduling tests via LoadScheduling" in done.output


BOTH = """
import pytest

def test_ansible(ansible_adhoc):
    found = ansible_adhoc(inventory="localhost,", connection="local").all.ping()
    assert [result["ping"] for result in found.values()] == ["pong"]

@pytest.mark.hosts("web")
def test_web(host): pass
"""


def test_host_needs_testinfras_library_and_not_its_plugin(with_both: Environment, tmp_path: Path) -> None:
    """With pytest-ansible beside it one of the two has to be left out: both define --ansible-inventory."""
    project = written(tmp_path / "project", table=True, test_it__py=BOTH)
    refused = with_both.pytest(project, "--collect-only")
    assert "conflicting option string: --ansible-inventory" in refused.text, "both can be loaded: README need not tell"
    left_out = ["-p", "no:pytest11.testinfra"]
    listed = with_both.pytest(project, *left_out, "--collect-only", "-q")
    assert "test_it.py::test_web[web-01]" in listed.output, listed.text
    done = with_both.pytest(project, *left_out, "-rA", "-k", "ansible")
    assert (done.code, done.passed()) == (0, ["test_it.py::test_ansible"]), done.text


WHOSE = """
def test_whose(ansible_adhoc):
    made = type(ansible_adhoc(inventory="localhost,"))
    assert made.__module__.partition(".")[0] == WANTED
"""
LINE = 'pytest_plugins = ["proving_ground.compat.pytest_ansible"]'


def test_the_line_for_tests_of_pytest_ansible_is_silent_while_it_is_loaded(
    crowded: Environment, tmp_path: Path
) -> None:
    for wanted, left_out in (("pytest_ansible", []), ("proving_ground", ["-p", "no:pytest-ansible"])):
        text = WHOSE.replace("WANTED", repr(wanted))
        project = written(tmp_path / wanted, table=False, conftest__py=LINE, test_whose__py=text)
        done = crowded.pytest(project, *left_out, "--host-pattern=localhost", "-rA")
        assert (done.code, done.passed()) == (0, ["test_whose.py::test_whose"]), done.text
