"""The nodes' module for files: makes what is missing, corrects what differs, leaves the rest alone."""

from __future__ import annotations

import importlib.util
import pwd
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODULE = Path(__file__).parents[2] / "roles" / "configure" / "cluster" / "library" / "node_files.py"


@cache
def node_files() -> ModuleType:
    """The module; it loads much of Ansible, which a mere collection need not wait for."""
    spec = importlib.util.spec_from_file_location("node_files", MODULE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Ended(Exception):  # noqa: N818 - a state, not a fault
    """The module has said its last word."""


class Ansible:
    """Stands in for ``AnsibleModule``: gives parameters, keeps the answer."""

    def __init__(self, check: bool, given: dict[str, Any]) -> None:
        self.check_mode, self.given = check, given

    def __call__(self, argument_spec: dict[str, Any], **_: Any) -> Ansible:
        """What Ansible does with the specification: nothing is given that it does not have, and defaults are."""
        assert set(self.given) <= set(argument_spec)
        self.params = {name: rule["default"] for name, rule in argument_spec.items()} | self.given
        return self

    def exit_json(self, **answer: Any) -> None:
        """All is well."""
        self.answer = answer

    def fail_json(self, **answer: Any) -> None:
        """Ends the module, as the real one does."""
        self.answer = answer | {"failed": True}
        raise Ended


class Node:
    """A node's files below a directory of the test."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.monkeypatch = root, monkeypatch

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def run(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        """Run the module; names are below the root. Returns its answer, with names below the root as well."""
        for kind in ("directories", "links", "files"):
            if kind in given:
                given[kind] = {str(self.root / name): value for name, value in given[kind].items()}
        for kind in ("modes", "owners"):
            if kind in given:
                given[kind] = {str(self.root / name): value for name, value in given[kind].items()}
        ansible = Ansible(check, given)
        self.monkeypatch.setattr(node_files(), "AnsibleModule", ansible)
        try:
            node_files().main()
        except Ended:
            return ansible.answer
        ansible.answer["paths"] = [str(Path(path).relative_to(self.root)) for path in ansible.answer["paths"]]
        return ansible.answer

    def mode(self, name: str) -> int:
        """A file's permissions."""
        return (self.root / name).stat().st_mode & 0o7777


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(tmp_path, monkeypatch)


EVERYTHING: dict[str, Any] = {
    "directories": {"etc": "0755", "etc/pki/private": "0700"},
    "links": {"etc/program": "/opt/depot/bin/program"},
    "files": {"etc/pki/private/key.pem": "a secret\n", "etc/settings": "naïve: yes\n"},
    "mode": "0600",
}


def test_all_that_is_missing_is_made_in_an_order_that_works(node: Node) -> None:
    answer = node.run(**EVERYTHING)
    made = ["etc", "etc/pki/private", "etc/program", "etc/pki/private/key.pem", "etc/settings"]
    assert (answer["changed"], answer["paths"]) == (True, made)
    assert (node.mode("etc"), node.mode("etc/pki/private"), node.mode("etc/settings")) == (0o755, 0o700, 0o600)
    assert (node / "etc/program").readlink() == Path("/opt/depot/bin/program")
    assert (node / "etc/settings").read_bytes() == "naïve: yes\n".encode()


def test_second_time_nothing_is_changed_nor_written(node: Node) -> None:
    node.run(**EVERYTHING)
    before = {path: path.lstat().st_ino for path in node.root.rglob("*")}
    answer = node.run(**EVERYTHING)
    assert (answer["changed"], answer["paths"], answer["diff"]) == (False, [], [])
    assert {path: path.lstat().st_ino for path in node.root.rglob("*")} == before


def test_dry_run_says_the_same_and_makes_nothing(node: Node) -> None:
    answer = node.run(check=True, **EVERYTHING)
    assert list(node.root.iterdir()) == []
    assert node.run(**EVERYTHING)["paths"] == answer["paths"]


def test_dry_run_corrects_nothing(node: Node) -> None:
    (node / "file").write_text("old")
    (node / "link").symlink_to("old")
    (node / "directory").mkdir(mode=0o700)
    wanted: dict[str, Any] = {"files": {"file": "new"}, "links": {"link": "new"}, "directories": {"directory": "0755"}}
    answer = node.run(check=True, **wanted)
    assert answer["paths"] == ["directory", "link", "file"]
    assert ((node / "file").read_text(), str((node / "link").readlink())) == ("old", "old")
    assert node.mode("directory") == 0o700


def test_only_what_differs_is_corrected_and_shown(node: Node) -> None:
    node.run(files={"a": "one\n", "b": "two\n"})
    answer = node.run(files={"a": "one\n", "b": "three\n"})
    assert answer["paths"] == ["b"]
    (difference,) = answer["diff"]
    assert (difference["before"], difference["after"]) == ("two\n", "three\n")
    assert difference["before_header"] == difference["after_header"] == str(node / "b")


def test_file_may_have_a_mode_of_its_own(node: Node) -> None:
    wanted: dict[str, Any] = {"files": {"key": "a secret", "certificate": ""}, "modes": {"key": "0600"}}
    node.run(**wanted)
    assert (node.mode("key"), node.mode("certificate")) == (0o600, 0o644)
    assert not node.run(**wanted)["changed"]


def test_owner_is_set_before_others_can_read_the_file_and_is_corrected(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test need not run as root: it sees to whom what is given, and how it was open at that moment."""
    given: list[tuple[str, int, int, int]] = []

    def chown(path: Path, user: int, group: int) -> None:
        given.append((path.name, user, group, path.stat().st_mode & 0o7777))

    monkeypatch.setattr(node_files().os, "chown", chown)
    wanted: dict[str, Any] = {
        "directories": {"pki": "0750"},
        "files": {"pki/key.pem": "a secret"},
        "mode": "0640",
        "owners": {"pki": "root:daemon", "pki/key.pem": "daemon:root"},
    }
    daemon = pwd.getpwnam("daemon")
    answer = node.run(**wanted)
    assert given == [("pki", 0, daemon.pw_gid, 0o750), (".key.pem.new", daemon.pw_uid, 0, 0o600)]
    assert answer["paths"] == ["pki", "pki/key.pem"]
    again = node.run(**wanted)  # nothing was given away, so that both still belong to somebody else
    assert again["paths"] == ["pki", "pki/key.pem"]
    assert again["diff"][1]["after"] == "0640 daemon:root\n"


def test_owner_that_the_machine_does_not_know_is_an_error_that_names_it(node: Node) -> None:
    answer = node.run(files={"key": ""}, owners={"key": "nobody-of-that-name:root"})
    assert answer["failed"]
    assert "nobody-of-that-name" in answer["msg"]
    assert not (node / "key").exists()


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_opened_file_or_directory_is_closed_again_and_the_difference_is_in_the_mode(node: Node, kind: str) -> None:
    wanted: dict[str, Any] = (
        {"files": {"x": "a secret"}, "mode": "0600"} if kind == "file" else {"directories": {"x": "0700"}}
    )
    node.run(**wanted)
    (node / "x").chmod(0o755)
    (difference,) = node.run(**wanted)["diff"]
    assert (difference["before"], difference["after"]) == ("0755\n", "0600\n" if kind == "file" else "0700\n")
    assert node.mode("x") == (0o600 if kind == "file" else 0o700)


def test_link_where_a_file_should_be_is_replaced_and_what_it_points_to_is_left_alone(node: Node) -> None:
    (node / "elsewhere").write_text("old")
    (node / "file").symlink_to(node / "elsewhere")
    assert node.run(files={"file": "new"})["changed"]
    assert not (node / "file").is_symlink()
    assert ((node / "file").read_text(), (node / "elsewhere").read_text()) == ("new", "old")


def test_file_where_a_link_should_be_is_replaced(node: Node) -> None:
    (node / "link").write_text("an old copy")
    assert node.run(links={"link": "/target"})["changed"]
    assert (node / "link").readlink() == Path("/target")


def test_directory_behind_a_link_is_as_good_as_any(node: Node) -> None:
    (node / "real").mkdir(mode=0o700)
    (node / "directory").symlink_to("real")
    assert node.run(directories={"directory": "0755"})["changed"]
    assert node.mode("real") == 0o755
    assert not node.run(directories={"directory": "0755"})["changed"]


@pytest.mark.parametrize("target", ["/opt//depot/bin", "./beside", "/opt/depot/"])
def test_link_is_as_it_was_written(node: Node, target: str) -> None:
    assert node.run(links={"link": target})["changed"]
    assert not node.run(links={"link": target})["changed"]


@pytest.mark.parametrize("content", ["one\r\ntwo\r\n", "one\rtwo", "\N{BYTE ORDER MARK}one", "", "no end of line"])
def test_content_is_written_as_it_is_and_known_again(node: Node, content: str) -> None:
    assert node.run(files={"file": content})["changed"]
    assert (node / "file").read_bytes() == content.encode()
    assert not node.run(files={"file": content})["changed"]


def test_other_ends_of_lines_are_a_difference(node: Node) -> None:
    (node / "file").write_bytes(b"one\r\n")
    assert node.run(files={"file": "one\n"})["changed"]
    assert (node / "file").read_bytes() == b"one\n"


def test_what_was_no_text_is_replaced(node: Node) -> None:
    (node / "file").write_bytes(b"\xff\xfe\x00")
    answer = node.run(files={"file": "text"})
    assert (node / "file").read_text() == "text"
    answer["diff"][0]["before"].encode()  # can be sent to the controller


@pytest.mark.parametrize("kind", ["links", "files"])
def test_leftover_of_a_run_that_was_broken_off_does_no_harm(node: Node, kind: str) -> None:
    (node / ".x.new").write_text("half of it")
    wanted: dict[str, Any] = {kind: {"x": "whole"}}
    assert node.run(**wanted)["paths"] == ["x"]
    assert [path.name for path in node.root.iterdir()] == ["x"]


def test_secret_is_open_to_nobody_on_its_way(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.append(self.stat().st_mode & 0o777)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    monkeypatch.setattr(Path, "chmod", lambda self, _: modes.append(self.stat().st_mode & 0o777))
    node.run(files={"key": "a secret"}, mode="0600")
    assert modes == [0o600, 0o600]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"files": {"taken": "text"}}, "taken: Is a directory"),
        ({"links": {"taken": "/target"}}, "taken: Is a directory"),
        ({"files": {"nowhere/file": "text"}}, "nowhere/file: No such file or directory"),
        ({"directories": {"file": "0755"}}, "file: File exists"),
        ({"directories": {"file/below": "0755"}}, "file/below: Not a directory"),
    ],
)
def test_failure_names_the_path_that_was_wanted_and_leaves_nothing_half_done(
    node: Node, wanted: dict[str, Any], message: str
) -> None:
    (node / "taken").mkdir()
    (node / "file").touch()
    answer = node.run(**wanted)
    assert answer == {"failed": True, "msg": f"{node.root}/{message}"}
    assert sorted(path.name for path in node.root.iterdir()) == ["file", "taken"]
