"""A project's faults are small files; a mistake in one is told with its line and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.faults.catalogue import Fault, catalogue, fault_named

STOPPED = """
what: nginx is stopped
role: web
machine: web
put_in: systemctl stop nginx
take_out: systemctl start nginx
red: ["tests/test_web.py::test_page_is_served"]
"""


def test_each_file_is_a_fault_with_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "nginx-stopped.yml").write_text(STOPPED)
    (tmp_path / "another.yml").write_text(STOPPED.replace("role: web", "role: [web, proxy]"))
    assert list(catalogue(tmp_path)) == ["another", "nginx-stopped"]
    assert fault_named("another", tmp_path) == Fault(
        "another",
        "nginx is stopped",
        ("web", "proxy"),
        "web",
        "systemctl stop nginx",
        "systemctl start nginx",
        ("tests/test_web.py::test_page_is_served",),
    )


def test_project_without_faults_has_none(tmp_path: Path) -> None:
    assert catalogue(tmp_path / "faults") == {}


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (STOPPED.replace("take_out: systemctl start nginx\n", ""), r"needs the key take_out"),
        (STOPPED + "grean: []\n", r"bad\.yml:8: grean: unknown key — did you mean green\?"),
        (STOPPED.replace('["tests/test_web.py::test_page_is_served"]', "[]"), r"red: is \[\]"),
        ("what: [", r"bad\.yml: not YAML: .*\[line 1, column \d+\]"),
    ],
)
def test_mistake_is_told(text: str, refusal: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(UsageError, match=refusal):
        catalogue(tmp_path)


def test_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "nginx-stopped.yml").write_text(STOPPED)
    with pytest.raises(UsageError, match=r"unknown fault 'nginx-stoped' — did you mean nginx-stopped\?"):
        fault_named("nginx-stoped", tmp_path)
