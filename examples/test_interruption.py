"""Ctrl-C, or SIGTERM, at any step of a run leaves nothing: no machine, no process, no lock."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from examples.running import assert_nothing_is_left, run
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.settings import Settings
from proving_ground.process.processes import carrying
from proving_ground.process.reaper import RUN, mark_of_run
from proving_ground.providers.docker_engine import DOCKER
from testing.installed.environments import environment_for

README = "pip install 'pytest-proving-ground[testinfra]'"
PYPROJECT = """
[tool.proving-ground]
image = "{image}"
init = "{init}"
check_mode = true
"""
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Say that this step has begun
      ansible.builtin.file: {{path: "{{{{ playbook_dir }}}}/here", state: touch}}
      delegate_to: localhost
      check_mode: false
      changed_when: false
      when: {when}
    - name: Wait for the signal
      ansible.builtin.command: sleep 300
      check_mode: false
      changed_when: false
      when: {when}
"""
TESTS = """
import os
from pathlib import Path


def test_waits(host):
    if os.environ["STOP"] == "test":
        Path("here").touch()
        host.run("sleep 100")
"""
CLIENT = """#!/bin/sh
for word; do
  [ "$word" = "$STOP" ] && {{ [ "$word" != build ] || sleep 1; touch "{project}/here"; }} &
done
exec {docker} "$@"
"""
"""Docker's client, which says that its command has begun; a build, a second later."""

SLOW_PACKAGES = """
FROM {image}
RUN printf '#!/bin/sh\\nexec sleep 300\\n' > /usr/local/bin/apt-get && chmod +x /usr/local/bin/apt-get
"""
"""An image without Python, in which packages take long."""

WHEN = {
    "prepare": "{stop} == 'prepare'",
    "site": "{stop} == ('check' if ansible_check_mode else 'idempotence' if ansible_diff_mode else 'converge')",
    "verify": "{stop} == 'verify'",
    "cleanup": "{stop} == 'cleanup'",
}
NEEDS = {
    "prepare": ("prepare", "waits"),
    "converge": ("site", "converge"),
    "check": ("site", "converge or check_mode"),
    "idempotence": ("site", "converge or idempotence"),
    "verify": ("site verify", "verify"),
    "cleanup": ("cleanup", "waits"),
}
"""Step → the playbooks and the tests that a run needs to come to it; every other needs none, and the project's own."""

COMMANDS = {"pull": "pull", "build": "build", "create": "exec", "destroy": "rm"}
"""Step → the command of Docker's client during which it is interrupted: `exec` awaits the start of a machine."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A directory with Docker's client, for a project."""
    project, client = tmp_path / "project", tmp_path / "bin" / "docker"
    project.mkdir()
    client.parent.mkdir()
    client.write_text(CLIENT.format(project=project, docker=shutil.which("docker")), encoding="utf-8")
    client.chmod(0o755)
    (project / "README.md").write_text(README, encoding="utf-8")
    (project / "test_waits.py").write_text(TESTS, encoding="utf-8")
    yield project
    run(project, "proving_ground.cli", "destroy")


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """The address of a registry that accepts connections and answers nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}/image:1"


@pytest.fixture
def slow_image(debian: str, tmp_path: Path) -> Iterator[str]:
    """An image on which the installation of Python does not end."""
    name = f"{tmp_path.name.lower()}-slow:1"
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(SLOW_PACKAGES.format(image=debian), encoding="utf-8")
    DOCKER.run("build", "--quiet", "--tag", name, str(context), timeout=120)
    yield name
    assert DOCKER.run("ps", "--all", "--quiet", "--filter", f"ancestor={name}") == ""
    DOCKER.run("image", "rm", "--force", name)


def prepare(project: Path, step: str, image: str) -> None:
    """Write the project's settings, and the playbooks that a run needs to come to ``step``."""
    settings = PYPROJECT.format(image=image, init="systemd" if step == "create" else "none")
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")
    for name in NEEDS[step][0].split() if step in NEEDS else ():
        text = PLAYBOOK.format(when=f'"{WHEN[name]}"').replace("{stop}", "lookup('env', 'STOP')")
        (project / f"{name}.yml").write_text(text, encoding="utf-8")


def start(project: Path, step: str) -> subprocess.Popen[str]:
    environment = environment_for(README)
    chosen = NEEDS[step][1] if step in NEEDS else "waits"
    variables = environment.variables()
    path = f"{project.parent / 'bin'}:{variables['PATH']}"
    return subprocess.Popen(
        [str(environment.python), "-m", "pytest", "-k", chosen],
        cwd=project,
        env=variables | {"STOP": COMMANDS.get(step, step), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def interrupt(project: Path, step: str, kind: signal.Signals) -> str:
    """Run the project until ``step`` has begun, and send the signal; return what it printed until its end."""
    with start(project, step) as process:

        def begun() -> None:
            assert process.poll() is None, process.communicate()[0]
            if not (project / "here").exists():
                raise NotReady("it has not")

        wait_until(f"{step} has begun", begun, timeout=240, interval=0.05)
        if kind is signal.SIGINT:
            os.killpg(process.pid, kind)  # as a terminal does
        else:
            process.send_signal(kind)
        output = process.communicate(timeout=240)[0]
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    return output


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        *((step, signal.SIGINT) for step in (*COMMANDS, *NEEDS, "test")),
        *((step, signal.SIGTERM) for step in ("create", "converge", "test")),
    ],
)
def test_an_interrupted_step_leaves_nothing(
    project: Path, debian: str, step: str, kind: signal.Signals, request: pytest.FixtureRequest
) -> None:
    images = {"pull": "silent_registry", "build": "slow_image"}
    prepare(project, step, request.getfixturevalue(images[step]) if step in images else debian)
    output = interrupt(project, step, kind)
    assert_nothing_is_left(project, "container")
    settings = Settings(project, "afterwards", provider="container")
    assert carrying(RUN, mark_of_run(settings.checkout_id, ""), whole=False) == []
    assert "Traceback" not in output
    assert [path.name for path in settings.state_directory.iterdir() if "holder" in path.name] == []
    assert list(project.glob("artifacts/*/ansible-runner-*")) == []
