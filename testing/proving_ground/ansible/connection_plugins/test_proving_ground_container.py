"""Ansible reaches a container by the engine's exec: commands with their input, files both ways, failures with a reason.

The engine is a program that runs here what it would run in a container. The examples use a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

from proving_ground.ansible.search_paths import CONNECTION_PLUGINS

ENGINE = """\
#!/bin/sh
printf '%s ' "$1" "$2" "$3" "$4" "$5" >>"$CALLS"
shift 5
exec "$@"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_on_path: Callable[[str, str], None]) -> Path:
    """An engine on the path; returns the file that receives the first words of each call."""
    put_on_path("docker", ENGINE)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def connection(calls: Path) -> Any:  # noqa: ARG001 - before anything is called
    connection_loader.add_directory(str(CONNECTION_PLUGINS))
    made = connection_loader.get("proving_ground_container", PlayContext(), "/dev/null")
    made.set_options(var_options={"ansible_host": "box", "ansible_user": "ann"})
    return made


def test_a_command_runs_as_the_user_in_the_container(connection: Any, calls: Path) -> None:
    assert connection.exec_command("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert calls.read_text(encoding="utf-8").split() == ["exec", "-i", "--user", "ann", "box"]


def test_podman_reaches_its_own_containers(
    connection: Any, calls: Path, put_on_path: Callable[[str, str], None]
) -> None:
    put_on_path("docker", "#!/bin/sh\nexit 125\n")
    put_on_path("podman", ENGINE)
    connection.set_options(var_options={"ansible_host": "box", "proving_ground_engine": "podman"})
    assert connection.exec_command("echo out")[:2] == (0, b"out\n")
    assert calls.read_text(encoding="utf-8").split() == ["exec", "-i", "--user", "root", "box"]


def test_a_module_comes_by_standard_input(connection: Any) -> None:
    assert connection.has_pipelining
    assert connection.exec_command("cat", in_data=b"\x00\xffmodule") == (0, b"\x00\xffmodule", b"")


def test_a_command_gets_no_input_of_ours(connection: Any) -> None:
    assert connection.exec_command("cat") == (0, b"", b"")


def test_files_go_both_ways_byte_for_byte(connection: Any, tmp_path: Path) -> None:
    content, away, back = bytes(range(256)) * 5000, tmp_path / "it's away", tmp_path / "back"
    (tmp_path / "here").write_bytes(content)
    connection.put_file(str(tmp_path / "here"), str(away))
    connection.fetch_file(str(away), str(back))
    assert away.read_bytes() == back.read_bytes() == content


def test_a_file_that_cannot_be_written_is_named_with_the_reason(connection: Any, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"")
    with pytest.raises(AnsibleConnectionFailure, match=r"cannot write /nowhere/x: .*(nonexistent|No such file)"):
        connection.put_file(str(tmp_path / "here"), "/nowhere/x")


def test_a_file_that_is_not_here_is_named(connection: Any, tmp_path: Path) -> None:
    with pytest.raises(AnsibleFileNotFound, match="absent"):
        connection.put_file(str(tmp_path / "absent"), "/tmp/x")


def test_a_file_that_is_not_there_is_named(connection: Any, tmp_path: Path) -> None:
    with pytest.raises(AnsibleConnectionFailure, match=r"cannot read /nowhere/x: .*No such file"):
        connection.fetch_file("/nowhere/x", str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()
