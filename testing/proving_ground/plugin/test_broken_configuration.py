"""Who only looks (``--help``, ``--collect-only``) is answered whatever is wrong; a run is ended in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_of_no_machine(): pass

@pytest.mark.hosts("etcd")
def test_of_machines(host): pass

def test_of_roles(pg_repeated): pass
"""

TABLE = "[tool.proving-ground]\n"


def said(text: str) -> Callable[[Path], None]:
    """What the project's table says; with ``-c pytest.ini`` pytest itself does not read it."""

    def write(project: Path) -> None:
        (project / "pyproject.toml").write_text(TABLE + text, encoding="utf-8")
        (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    return write


def written(name: str, text: str) -> Callable[[Path], None]:
    """Another file of the project."""

    def write(project: Path) -> None:
        (project / name).write_text(text, encoding="utf-8")

    return write


BROKEN = {
    "no TOML": (
        said("playbook =\n"),
        ("-c", "pytest.ini"),
        11,
        "pyproject.toml: no TOML: Invalid value (at line 2, column 11)",
    ),
    "wrong type": (
        said("playbook = 3\n"),
        (),
        11,
        "pyproject.toml:2: playbook: is 3 — write text in quotes",
    ),
    "unknown setting": (
        said("playbok = 's'\n"),
        (),
        11,
        "pyproject.toml:2: playbok: unknown key — did you mean playbook?",
    ),
    "no such playbook": (
        said("playbook = 'a.yml'\n"),
        (),
        11,
        "pyproject.toml:2: playbook: there is no playbook a.yml",
    ),
    "unknown topology": (
        said(""),
        ("--pg-topology=moon",),
        11,
        "--pg-topology: unknown topology 'moon' — choose one of",
    ),
    "topology that is no YAML": (written("topology/default.yml", "networks: ["), (), 11, "default.yml: not YAML: "),
    "unknown value": (said(""), ("--pg-keep=moon",), 11, "--pg-keep: unknown value 'moon' — choose one of: never"),
    "playbook that is no YAML": (written("site.yml", "- {"), (), 15, "site.yml: not YAML: "),
}

broken = pytest.mark.parametrize(("breaks", "arguments", "code", "words"), BROKEN.values(), ids=BROKEN)


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makepyfile(test_it=TESTS)
    (planned.path / "site.yml").write_text("- {name: First, hosts: etcd, roles: [store]}\n", encoding="utf-8")
    return planned


@broken
def test_tests_are_listed_with_one_line_that_says_what_is_wrong(
    project: pytest.Pytester, breaks: Callable[[Path], None], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert code, "a run has a code of its own"
    breaks(project.path)
    result = project.runpytest_inprocess("--collect-only", "-q", "-p", "no:cacheprovider", *arguments)
    assert result.ret == pytest.ExitCode.OK, str(result.stdout)
    listed = [line for line in result.outlines if line.startswith("test_it.py::")]
    names = {line.partition("[")[0] for line in listed}
    assert names == {f"test_it.py::{name}" for name in ("test_of_no_machine", "test_of_machines", "test_of_roles")}
    told = [line for line in [*result.outlines, *result.errlines] if words in line]
    assert len(told) == 1, told
    assert told[0].startswith("warning: ")
    left = {path.name for path in project.path.iterdir()} - {"__pycache__"}
    assert left <= {"pyproject.toml", "pytest.ini", "site.yml", "test_it.py", "topology"}


@broken
def test_a_run_ends_in_one_line(
    project: pytest.Pytester, breaks: Callable[[Path], None], arguments: tuple[str, ...], code: int, words: str
) -> None:
    breaks(project.path)
    result = project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)
    assert result.ret == code
    (told,) = [line for line in [*result.outlines, *result.errlines] if words in line]
    assert "error: " in told
    result.stdout.no_fnmatch_line("*passed*")
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("--help", "  --pg-keep=KEEP*"),
        ("--version", "pytest *"),
        ("--markers", "@pytest.mark.hosts(*"),
        ("--fixtures", "pg_hosts*"),
        ("--fixtures-per-test", "*fixtures used by test_of_machines*"),
    ],
)
def test_who_only_looks_is_answered(project: pytest.Pytester, asked: str, shown: str) -> None:
    said("playbok = 's'\n")(project.path)
    result = project.runpytest_inprocess(asked, "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([shown])
    assert not (project.path / "artifacts").exists()


def test_a_configuration_that_is_right_is_no_warning(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--collect-only", "-q")
    result.stdout.no_fnmatch_line("*warning: *")
    result.stdout.fnmatch_lines(
        ["test_it.py::test_of_machines[[]etcd-01[]]", "test_it.py::test_of_roles[[]etcd-01-store[]]"]
    )


def test_a_listing_leaves_no_file(project: pytest.Pytester) -> None:
    before = {path.name for path in project.path.iterdir()}
    project.runpytest_inprocess("--fixtures", "-p", "no:cacheprovider")
    assert {path.name for path in project.path.iterdir()} - {"__pycache__"} == before
