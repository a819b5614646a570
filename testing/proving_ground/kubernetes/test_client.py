"""What kubelets report of a command, and kubectl's command line."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from proving_ground.kubernetes.client import ExecutionError, Kubectl, _exit_code

FAILED = '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"%d"}]}}'


@pytest.mark.parametrize(("status", "code"), [('{"status":"Success"}', 0), (FAILED % 1, 1), (FAILED % 137, 137)])
def test_exit_code_is_the_commands_own(status: str, code: int) -> None:
    assert _exit_code(status, "ns/pod") == code


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("", "the connection broke"),
        ('{"status":"Failure","reason":"InternalError","message":"no such file: probe"}', "no such file: probe"),
    ],
)
def test_command_that_never_ran_is_no_exit_code(status: str, words: str) -> None:
    with pytest.raises(ExecutionError, match=f"ns/pod: {words}"):
        _exit_code(status, "ns/pod")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Prints its arguments as JSON, or fails when told to."""
    path = tmp_path / "kubectl"
    path.write_text('#!/bin/sh\n[ "$3" = fail ] && { echo "no such thing" >&2; exit 1; }\necho "[\\"$*\\"]"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_kubectl_uses_the_clusters_own_configuration(program: Path) -> None:
    kubectl = Kubectl(program, Path("/state/kubeconfig"))
    assert kubectl.json("get", "nodes") == ["--kubeconfig=/state/kubeconfig --context=proving-ground get nodes -o json"]


def test_kubectl_that_fails_says_with_which_words(program: Path) -> None:
    with pytest.raises(AssertionError, match="kubectl fail failed: no such thing"):
        Kubectl(program, Path("/state/kubeconfig")).run("fail")
