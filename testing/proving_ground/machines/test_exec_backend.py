"""testinfra runs commands in a container as root, with a deadline; a container that is gone is another error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.settings import Settings
from proving_ground.core.topology import parse
from proving_ground.machines.exec_backend import DeadlineExec
from proving_ground.machines.hosts import Hosts

CLIENT = """\
#!/bin/sh
shift 1
case $1 in *gone*) echo "{refusal}: $1" >&2; exit 1 ;; esac
shift
exec "$@"
"""


@pytest.fixture(params=["container", "podman"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path, put_on_path: Callable[[str, str], None]) -> Hosts:
    put_on_path("docker", CLIENT.format(refusal="Error response from daemon: No such container"))
    put_on_path("podman", CLIENT.format(refusal="Error: no container with name or ID"))
    topology = parse("own", {"machines": {"web": None, "gone": None}})
    return Hosts(Settings(tmp_path, "run", provider=request.param), topology)


def test_a_command_runs_and_says_all_that_testinfra_wants(hosts: Hosts) -> None:
    done = hosts["web-01"].run("echo %s; echo err >&2; exit 3", "it's")
    assert (done.rc, done.stdout, done.stderr) == (3, "it's\n", "err\n")
    assert hosts["web-01"].backend.get_hostname() == "web-01"


def test_testinfras_modules_work_on_it(hosts: Hosts, tmp_path: Path) -> None:
    (tmp_path / "motto").write_text("test first\n", encoding="utf-8")
    assert hosts["web-01"].file(str(tmp_path / "motto")).content_string == "test first\n"


def test_a_command_that_does_not_end_is_an_error_that_names_host_command_and_seconds(hosts: Hosts) -> None:
    with pytest.raises(MachineError, match=r"^web-01: `sleep 30` did not end within 0 s — look whether the machine"):
        hosts["web-01"].run("sleep 30", timeout=0.3)


def test_a_container_that_is_gone_is_no_failed_command(hosts: Hosts) -> None:
    with pytest.raises(RuntimeError, match=r"gone-01: Error.* container"):
        hosts["gone-01"].run("true")


def test_every_command_has_a_deadline() -> None:
    assert DeadlineExec.run.__kwdefaults__ == {"timeout": 120.0}
