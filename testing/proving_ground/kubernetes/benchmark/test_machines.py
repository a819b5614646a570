"""What machines are asked, by running the script here; and how what they say is read."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.benchmark.facts import File, Machine
from proving_ground.kubernetes.benchmark.machines import arguments, read, script
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.machines.node_facts import Socket

TIMEOUT = 30.0


def asked(needs: Needs, *kinds: str, proc: Path = Path("/no/processes")) -> Machine:
    command = ["sh", "-c", script(needs, kinds, str(proc))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    return read("here", done.stdout, done.stderr)


def running(proc: Path, number: int, *words: str, **variables: str) -> None:
    """Show a process as the kernel does."""
    directory = proc / str(number)
    directory.mkdir(parents=True)
    (directory / "cmdline").write_text("".join(f"{word}\0" for word in words))
    (directory / "environ").write_text("".join(f"{name}={value}\0" for name, value in variables.items()))
    (directory / "root").symlink_to("/")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine's processes."""
    proc = tmp_path / "proc"
    (tmp_path / "ca.pem").write_text("an authority")
    (tmp_path / "audit.yaml").write_text("rules: []")
    running(proc, 1, "/usr/lib/systemd/systemd")
    running(
        proc, 12, "/opt/bin/etcd", ETCD_CERT_FILE="/server.pem", ETCD_TRUSTED_CA_FILE=f"{tmp_path}/ca.pem", HOME="/"
    )
    running(
        proc, 34, "kube-apiserver", "--secure-port=6443", f"--audit-policy-file={tmp_path}/audit.yaml", "--a", "b c"
    )
    running(proc, 56, "/bin/sh", "-c", "kubelet", ETCD_NAME="other")
    return proc


def test_settings_of_a_process_are_its_arguments_and_variables(proc: Path) -> None:
    named = (("etcd", "trusted-ca-file"), ("kube-apiserver", "audit-policy-file"), ("kube-apiserver", "client-ca-file"))
    machine = asked(Needs(arguments=named), "etcd", "control-plane", "node", proc=proc)
    directory = proc.parent
    assert machine.processes == {
        "etcd": {"cert-file": "/server.pem", "trusted-ca-file": f"{directory}/ca.pem"},
        "kube-apiserver": {"secure-port": "6443", "audit-policy-file": f"{directory}/audit.yaml", "a": "b c"},
    }
    assert machine.documents == {
        "etcd trusted-ca-file": "an authority",
        "kube-apiserver audit-policy-file": "rules: []",
        "kube-apiserver client-ca-file": "",
    }


def test_programs_of_other_kinds_of_machines_are_not_asked_for(proc: Path) -> None:
    needs = Needs(arguments=(("etcd", "trusted-ca-file"),), files=(("etcd", str(proc)),))
    machine = asked(needs, "node", proc=proc)
    assert (machine.processes, machine.documents, machine.files) == ({}, {}, ())


def test_modes_and_owners_are_those_of_the_files(tmp_path: Path) -> None:
    for name, mode in (("a.key", 0o640), ("b.key", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link.crt").symlink_to(tmp_path / "a.key")
    machine = asked(
        Needs(files=(("node", f"{tmp_path}/*.key"), ("node", f"{tmp_path}/*.crt"), ("node", "/no/file"))), "node"
    )
    owner = f"{tmp_path.owner()}:{tmp_path.group()}"
    assert machine.at(f"{tmp_path}/*.key") == [
        File(f"{tmp_path}/a.key", 0o640, owner),
        File(f"{tmp_path}/b.key", 0o600, owner),
    ]
    assert [each.mode for each in machine.at(f"{tmp_path}/*.crt")] == [0o640], "a link is what it leads to"
    assert machine.at("/no/file") == []


def test_keys_stay_on_the_machine(tmp_path: Path) -> None:
    secret = base64.b64encode(b"k" * 32).decode()
    for name, text in (
        ("one.yaml", f"keys:\n- name: key1\n  secret: {secret}\n"),
        ("two.json", f'{{"secret": "{secret}"}}'),
    ):
        (tmp_path / name).write_text(text)
    machine = asked(Needs(documents=(("node", f"{tmp_path}/*"),)), "node")
    text = machine.documents[f"{tmp_path}/*"]
    assert secret not in text
    assert text == 'keys:\n- name: key1\n  secret: hidden\n{"secret": "hidden"}'


def test_clients_certificates_come_from_kubeconfigs(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"a certificate").decode()
    (tmp_path / "admin.conf").write_text(
        f"users:\n- user:\n    client-certificate-data: {encoded}\n    client-key-data: x\n"
    )
    machine = asked(Needs(clients=(("control-plane", f"{tmp_path}/admin.conf"),)), "control-plane")
    assert machine.clients == {f"{tmp_path}/admin.conf": "a certificate"}


def test_listeners_are_read_with_address_and_process() -> None:
    said = (
        "udp UNCONN 0 0 *:8472 *:*\n"
        'tcp LISTEN 0 4096 127.0.0.1:10249 0.0.0.0:* users:(("kube-proxy",pid=1,fd=8))\n'
        "tcp LISTEN 0 4096 *:6443 *:*\n"
        'tcp LISTEN 0 4096 [::]:22 [::]:* users:(("sshd",pid=2,fd=3))\n'
    )
    machine = read("one", f"@@ listeners\n{said}@@ processes\n@@ files\n@@ documents\n@@ clients\n@@ ended\n")
    assert machine.listeners == (
        Socket("tcp", "127.0.0.1", 10249, "kube-proxy"),
        Socket("tcp", "*", 6443, ""),
        Socket("tcp", "*", 22, "sshd"),
    )


@pytest.mark.parametrize("said", ["", "@@ listeners\n@@ processes\n"])
def test_answer_that_is_not_complete_is_an_error(said: str) -> None:
    with pytest.raises(HarnessError, match="one: the answer to the benchmark's script is not complete: sh: no"):
        read("one", said, "sh: no\n")


def test_a_broken_certificate_is_an_error() -> None:
    said = "@@ listeners\n@@ processes\n@@ files\n@@ documents\n@@ clients\n/a: client-certificate-data: ?\n@@ ended\n"
    with pytest.raises(HarnessError, match="/a cannot be read"):
        read("one", said)


def test_arguments_of_every_form() -> None:
    words = ["--a=1", "-b", "2", "--c", "--d=", "rest", "--e=x=y", "--f"]
    assert arguments(words) == {"a": "1", "b": "2", "c": "true", "d": "", "e": "x=y", "f": "true"}
