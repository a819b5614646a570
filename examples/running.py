"""Run an example as its user would: by the wheel, in a fresh environment, outside of this checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

from proving_ground.core.errors import MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger
from proving_ground.process import commands
from proving_ground.providers import container_image, registry
from proving_ground.providers.docker_engine import DOCKER
from testing.installed.environments import environment_for

HERE = Path(__file__).parent


def image(name: str, suite: str, directory: Path) -> str:
    """Return an image that is on this host then: of a registry, or else one made of Debian's own packages."""
    DOCKER.ensure_running(Progress())
    if container_image.identifier(DOCKER, name):
        return name
    try:
        DOCKER.run("pull", "--quiet", name, timeout=300)
    except MachineError:
        archive = directory / "debian.tar"
        command = ["mmdebstrap", "--variant=minbase", suite, str(archive)]
        commands.run(command, error=MachineError, where="mmdebstrap", timeout=900, log=directory / "log")
        DOCKER.run("import", str(archive), name, timeout=300)
    return name


def cases_of(project: Path) -> dict[str | None, list[str]]:
    """The tests of the project's last run, with what each came to besides a pass."""
    suite = ElementTree.parse(project / "artifacts" / "latest" / "junit.xml").getroot()
    return {
        case.get("name"): [outcome.tag for outcome in case if outcome.tag != "properties"]  # those are no outcome
        for case in suite.iter("testcase")
    }


def assert_nothing_is_left(project: Path, provider: str) -> None:
    settings = Settings(project, "afterwards", provider=provider)
    assert Ledger(settings.state_directory).read() is None
    assert not registry.of(settings).has_leftovers()


def run(project: Path, module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the project's environment in the project, with nothing that was asked of this run."""
    environment = environment_for((project / "README.md").read_text(encoding="utf-8"))
    command = [str(environment.python), "-m", module, *arguments]
    return subprocess.run(
        command, cwd=project, env=environment.variables() | variables, capture_output=True, text=True, timeout=900
    )


def passes(project: Path, module: str, *arguments: str, **variables: str) -> str:
    """Run a program of Python's in the project, which has to succeed; return its output."""
    done = run(project, module, *arguments, **variables)
    assert done.returncode == 0, f"{module} {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
    return done.stdout
