"""Requirements are installed once, by their content; Ansible finds them; a failure leaves nothing and says why."""

from __future__ import annotations

import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.ansible.requirements import ensure_installed, installed, key
from proving_ground.ansible.runner import check_syntax
from proving_ground.core.errors import RequirementsError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL
from proving_ground.process import commands

GALAXY = """#!/bin/sh
echo "$1" >>"{calls}"
mkdir -p "$6/of-a-$1"
{ends}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of all installed requirements."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("ANSIBLE_ROLES_PATH", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "proving-ground" / "requirements"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "project"
    root.mkdir()
    return Settings(root, "run")


@pytest.fixture
def galaxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Put a program in the place of ansible-galaxy: ``galaxy("exit 1")``; without arguments return its calls."""
    calls, program = tmp_path / "calls", tmp_path / "bin" / "ansible-galaxy"

    def put(ends: str = "") -> list[str]:
        if ends:
            program.parent.mkdir(exist_ok=True)
            program.write_text(GALAXY.format(calls=calls, ends=ends), encoding="utf-8")
            program.chmod(0o755)
            monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
        return calls.read_text(encoding="utf-8").split() if calls.exists() else []

    return put


def write(settings: Settings, name: str, text: str) -> None:
    path = settings.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def quiet() -> Progress:
    return Progress(write=lambda _: None)


def test_without_requirements_nothing_is_installed(settings: Settings, cache: Path) -> None:
    write(settings, "requirements.yml", "roles: []\ncollections:\n")
    ensure_installed(settings, quiet())
    assert (key(settings), installed(settings), cache.exists()) == ("", {}, False)


def test_ansible_finds_a_role_and_a_collection_of_local_files(settings: Settings, tmp_path: Path) -> None:
    """By ansible-galaxy itself: a collection that it builds, and an archive of a role."""
    work = tmp_path / "work"
    for name, text in {
        "greet/tasks/main.yml": "[]",
        "greet/meta/main.yml": "galaxy_info: {author: a, description: d, license: MIT, min_ansible_version: '2.17'}",
        "tools/galaxy.yml": "{namespace: acme, name: tools, version: 1.0.0, readme: README.md, authors: [a]}",
        "tools/README.md": "Tools",
        "tools/roles/web/tasks/main.yml": "[]",
    }.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(f"{text}\n", encoding="utf-8")
    with tarfile.open(work / "greet.tar.gz", "w:gz") as archive:
        archive.add(work / "greet", "greet")
    build = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "tools"]
    commands.run([*build, f"--output-path={settings.root}"], error=RequirementsError, where="", timeout=60, cwd=work)
    write(settings, "requirements.yml", f"roles:\n  - {{src: 'file://{work}/greet.tar.gz', name: greet}}\n")
    write(settings, "collections/requirements.yml", "collections:\n  - {name: acme-tools-1.0.0.tar.gz, type: file}\n")
    write(settings, "site.yml", "- {hosts: all, roles: [greet, acme.tools.web]}\n")
    write(settings, "inventory.yml", "all: {hosts: {web-01: {}}}\n")
    ensure_installed(settings, quiet())
    check_syntax(settings, settings.root / "inventory.yml", USUAL)


def repository(place: Path, **files: str) -> Path:
    """A bare repository with these files in the branch ``main``; ``__`` in a name stands for its slash."""
    work, bare = place / "work", place.with_suffix(".git")
    for name, text in files.items():
        (work / name.replace("__", "/")).parent.mkdir(parents=True, exist_ok=True)
        (work / f"{name.replace('__', '/')}.yml").write_text(f"{text}\n", encoding="utf-8")
    git(work, "init", "--quiet", "--initial-branch=main")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message=one")
    git(place, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def git(place: Path, *words: str) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    commands.run(["git", *author, *words], error=RequirementsError, where="git", timeout=60, cwd=place)


def test_ansible_finds_a_role_and_a_collection_of_git_repositories(settings: Settings, tmp_path: Path) -> None:
    role = repository(tmp_path / "greet", tasks__main="[]", meta__main="galaxy_info: {author: a, license: MIT}")
    about = "{namespace: acme, name: tools, version: 1.0.0, readme: README.yml, authors: [a]}"
    tools = repository(tmp_path / "tools", galaxy=about, README="", roles__web__tasks__main="[]")
    entries = f"roles: [{{src: 'git+file://{role}', version: main, name: greet}}]\n"
    entries += f"collections: [{{name: 'git+file://{tools}', type: git, version: main}}]\n"
    write(settings, "requirements.yml", entries)
    write(settings, "site.yml", "- {hosts: all, roles: [greet, acme.tools.web]}\n")
    write(settings, "inventory.yml", "all: {hosts: {web-01: {}}}\n")
    ensure_installed(settings, quiet())
    check_syntax(settings, settings.root / "inventory.yml", USUAL)

    git(tmp_path / "greet" / "work", "commit", "--quiet", "--allow-empty", "--message=two")
    git(tmp_path / "greet" / "work", "push", "--quiet", str(role), "main")
    assert installed(settings) == {}, "a new commit is installed again"


def test_a_git_repository_that_is_not_there_is_told_in_gits_own_words(settings: Settings, tmp_path: Path) -> None:
    write(settings, "requirements.yml", f"roles: [{{src: 'git+file://{tmp_path}/none.git', name: greet}}]\n")
    words = rf"^requirements\.yml: cannot be installed: '{tmp_path}/none\.git' does not appear to be a git repo\w+ — "
    with pytest.raises(RequirementsError, match=words):
        ensure_installed(settings, quiet())


def test_what_is_in_the_cache_is_not_installed_again(settings: Settings, galaxy: Callable[..., list[str]]) -> None:
    galaxy("exit 0")
    write(settings, "requirements.yml", "roles: [one]\ncollections: [acme.tools]\n")
    write(settings, "meta/requirements.yml", "- two\n")
    for _ in range(2):
        ensure_installed(settings, quiet())
    assert galaxy() == ["role", "collection", "role"]
    assert [path.name for path in installed(settings)["role"].iterdir()] == ["of-a-role"]
    write(settings, "meta/requirements.yml", "- three\n")
    assert installed(settings) == {}
    ensure_installed(settings, quiet())
    assert len(galaxy()) == 6


@pytest.mark.parametrize("source", ["archive.tar.gz", "directory"])
def test_a_changed_local_source_is_installed_again(settings: Settings, source: str) -> None:
    name = source if source.endswith("gz") else f"{source}/galaxy.yml"
    write(settings, name, "first")
    write(settings, "requirements.yml", f"collections:\n  - {{source: ./{source}, type: file}}\n")
    before = key(settings)
    assert key(settings) == before
    write(settings, name, "second")
    assert key(settings) != before


def test_two_runs_at_the_same_time_install_once(settings: Settings, galaxy: Callable[..., list[str]]) -> None:
    galaxy("sleep 0.5")
    write(settings, "requirements.yml", "roles: [one]\n")
    runs = [threading.Thread(target=ensure_installed, args=(settings, quiet())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(timeout=60)
    assert galaxy() == ["role"]
    assert set(installed(settings)) == {"role"}


def test_without_a_network_the_error_names_file_and_way_out(
    settings: Settings, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ansible-galaxy itself, with a server at a port that nobody listens on."""
    monkeypatch.setenv("ANSIBLE_GALAXY_SERVER", "http://127.0.0.1:9")
    write(settings, "requirements.yml", "collections: [acme.tools]\n")
    with pytest.raises(RequirementsError) as failed:
        ensure_installed(settings, quiet())
    text = str(failed.value)
    assert text.startswith("requirements.yml: cannot be installed: ")
    assert "Connection refused" in text
    assert "run again with a network, or name a local source" in text
    assert "\n" not in text
    assert failed.value.exit_code == 18
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_a_failure_leaves_nothing_and_the_next_run_begins_anew(
    settings: Settings, cache: Path, galaxy: Callable[..., list[str]]
) -> None:
    galaxy("echo '[WARNING]: - one was NOT installed successfully: - the version does\n  not exist' >&2; exit 1")
    write(settings, "requirements.yml", "roles: [one]\n")
    with pytest.raises(RequirementsError, match="- the version does not exist — correct the entry"):
        ensure_installed(settings, quiet())
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []
    galaxy("exit 0")
    ensure_installed(settings, quiet())
    assert set(installed(settings)) == {"role"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("roles: {", "not YAML: "), ("roles: one\n", "is no list of requirements"), ("one\n", "is no list of")],
)
def test_a_file_that_is_none_is_an_error(settings: Settings, text: str, words: str) -> None:
    write(settings, "requirements.yml", text)
    with pytest.raises(RequirementsError, match=f"^requirements.yml: {words}"):
        ensure_installed(settings, quiet())
