"""``scripts/setup``: what it asks root for, and what it does where a release has no package of Vagrant."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOOLS = "sh dirname sed grep cat find head sort tr paste sha256sum mktemp awk rm dpkg env flock"
"""What set-up itself works with; nothing of what it looks for is among it."""

ID = """#!/bin/sh
case "$*" in -u) echo 1000 ;; *) echo alice ;; esac
"""

SUDO = """#!/bin/sh
echo "$*" >>"$ASKED"
case "$*" in
    tee*) cat >>"$ASKED" ;;
    *"apt-get -q update") [ ! -s "$ASKED" ] || ! grep -q '^deb ' "$ASKED" || exit "$REFUSED" ;;
esac
"""

APT_CACHE = """#!/bin/sh
candidate=1.0
case " $LACKS " in *" $2 "*) grep -q '^deb ' "$ASKED" || candidate='(none)' ;; esac
printf '%s:\\n  Candidate: %s\\n' "$2" "$candidate"
"""


def machine(tmp_path: Path, *, lacks: str = "", refused: int = 0) -> tuple[Path, dict[str, str]]:
    """Make a checkout on a machine that has nothing yet, for a user who may become root.

    Args:
        tmp_path: where checkout and machine lie.
        lacks: packages that the release does not have.
        refused: exit code of apt's update once another repository is among its sources.

    Returns:
        its ``scripts/setup``, and the environment to run that in.
    """
    checkout, programs, asked = tmp_path / "checkout", tmp_path / "bin", tmp_path / "asked"
    for directory in (checkout / "scripts", checkout / ".venv" / "bin", programs):
        directory.mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup", checkout / "scripts")
    for lock in ("requirements.lock", "requirements-go.lock"):
        (checkout / lock).touch()
    # An environment that is as its locks say needs nothing.
    (checkout / ".venv" / ".locks").write_text(f"{hashlib.sha256().hexdigest()}  -\n", encoding="ascii")
    asked.touch()
    fakes = {"id": ID, "sudo": SUDO, "apt-cache": APT_CACHE, "apt-get": "#!/bin/sh\n", "python3": "#!/bin/sh\n"}
    for name, text in fakes.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    shutil.copy(programs / "python3", checkout / ".venv" / "bin" / "python")
    for name in TOOLS.split():
        (programs / name).symlink_to(str(shutil.which(name)))
    state = {"ASKED": str(asked), "LACKS": lacks, "REFUSED": str(refused), "PATH": str(programs)}
    return checkout / "scripts" / "setup", {**os.environ, **state}


def run(tmp_path: Path, *, lacks: str = "", refused: int = 0) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Set up such a checkout: how it ended, and what root was asked for, line by line."""
    script, environment = machine(tmp_path, lacks=lacks, refused=refused)
    done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    return done, Path(environment["ASKED"]).read_text(encoding="utf-8").splitlines()


def installed(asked: list[str]) -> list[str]:
    """Names of the packages that root was asked to install."""
    (line,) = [line for line in asked if " install " in line]
    return line.rpartition(" install ")[2].split()


pytestmark = pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="sets up Debian and Ubuntu")


def test_what_is_missing_is_said_and_installed(tmp_path: Path) -> None:
    done, asked = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"vagrant", "mmdebstrap", "openssh-client"} <= set(installed(asked))
    assert "setup: installing with apt:" in done.stdout
    assert not [line for line in asked if "hashicorp" in line], "the release's own is taken where there is one"


def test_vagrant_comes_from_its_maker_where_the_release_has_none(tmp_path: Path) -> None:
    """Ubuntu has had no package of it since 24.04."""
    done, asked = run(tmp_path, lacks="vagrant")
    assert done.returncode == 0, done.stderr
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    (source,) = [line for line in asked if line.startswith("deb ")]
    key = source[source.index("signed-by=") + len("signed-by=") :].partition("]")[0]
    assert source.endswith(f" {codename} main")
    assert any("download-file" in line and line.endswith(key) for line in asked), "its key comes before it is trusted"
    order = [number for number, line in enumerate(asked) if line.endswith("-q update")]
    assert order[0] < asked.index(source) < order[-1]
    assert "vagrant" in installed(asked)
    assert "repository of its maker" in done.stdout


def test_a_repository_that_cannot_be_used_is_taken_out_again(tmp_path: Path) -> None:
    """Or every later update of the machine's packages would fail."""
    done, asked = run(tmp_path, lacks="vagrant", refused=100)
    assert done.returncode == 1
    list_file = next(line for line in asked if line.startswith("tee ")).split()[1]
    assert asked[-1].startswith("rm ")
    assert list_file in asked[-1]
    assert "install Vagrant by other means, then come back" in done.stderr


def test_another_package_that_a_release_lacks_is_named(tmp_path: Path) -> None:
    done, asked = run(tmp_path, lacks="mmdebstrap")
    assert done.returncode == 1
    assert "setup: error: apt offers no package mmdebstrap" in done.stderr
    assert not [line for line in asked if " install " in line]


def test_set_ups_of_one_checkout_take_turns(tmp_path: Path) -> None:
    """Environments of tox that run at the same time each begin with one."""
    script, environment = machine(tmp_path)
    with script.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = subprocess.Popen([script], env=environment, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "setup: waiting for another set-up of this checkout\n"
        assert Path(environment["ASKED"]).read_text(encoding="utf-8") == "", "nothing is installed meanwhile"
        fcntl.flock(other, fcntl.LOCK_UN)
    output, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, output
    assert "installing with apt" in output
