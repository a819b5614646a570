"""What machines are asked, by running the script here; and how what they say is read."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.benchmark.facts import File, Listener, Machine
from proving_ground.kubernetes.benchmark.machines import arguments, read, script
from proving_ground.kubernetes.benchmark.question import Needs

TIMEOUT = 30.0


def asked(needs: Needs, *kinds: str) -> Machine:
    done = subprocess.run(
        ["sh", "-c", script(needs, kinds)], capture_output=True, text=True, timeout=TIMEOUT, check=True
    )
    return read("here", done.stdout, done.stderr)


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Path]:
    """A process whose name and arguments are etcd's, and whose variables are, too."""
    (tmp_path / "ca.pem").write_text("an authority")
    program = tmp_path / "etcd"
    program.symlink_to("/bin/sleep")
    environment = {"ETCD_CERT_FILE": "/pki/server.pem", "ETCD_TRUSTED_CA_FILE": str(tmp_path / "ca.pem"), "OTHER": "x"}
    # sleep(1) adds its arguments up.
    with subprocess.Popen([str(program), "60", "0"], env=environment) as process:
        for _ in range(100):
            if b"sleep" in Path(f"/proc/{process.pid}/exe").readlink().name.encode():
                break
            time.sleep(0.05)
        yield tmp_path
        process.kill()


def test_settings_of_a_process_are_read_from_its_variables(etcd: Path) -> None:
    machine = asked(Needs(arguments=(("etcd", "trusted-ca-file"),)), "etcd")
    assert machine.processes["etcd"] == {"cert-file": "/pki/server.pem", "trusted-ca-file": f"{etcd}/ca.pem"}
    assert machine.documents == {"etcd trusted-ca-file": "an authority"}


def test_programs_of_other_kinds_of_machines_are_not_asked_for(etcd: Path) -> None:
    machine = asked(Needs(arguments=(("etcd", "trusted-ca-file"),), files=(("etcd", str(etcd)),)), "node")
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
        'LISTEN 0 4096 127.0.0.1:10249 0.0.0.0:* users:(("kube-proxy",pid=1,fd=8))\n'
        "LISTEN 0 4096 *:6443 *:*\n"
        'LISTEN 0 4096 [::]:22 [::]:* users:(("sshd",pid=2,fd=3))\n'
    )
    machine = read("one", f"@@ listeners\n{said}@@ processes\n@@ files\n@@ documents\n@@ clients\n@@ ended\n")
    assert machine.listeners == (
        Listener("127.0.0.1", 10249, "kube-proxy"),
        Listener("*", 6443, "something"),
        Listener("*", 22, "sshd"),
    )


@pytest.mark.parametrize("said", ["", "@@ listeners\n@@ processes\n"])
def test_a_machine_that_did_not_say_all_is_an_error(said: str) -> None:
    with pytest.raises(HarnessError, match="one: it did not say all that the benchmark asks: sh: no"):
        read("one", said, "sh: no\n")


def test_a_broken_certificate_is_an_error() -> None:
    said = "@@ listeners\n@@ processes\n@@ files\n@@ documents\n@@ clients\n/a: client-certificate-data: ?\n@@ ended\n"
    with pytest.raises(HarnessError, match="/a cannot be read"):
        read("one", said)


def test_arguments_of_every_form() -> None:
    words = ["--a=1", "-b", "2", "--c", "--d=", "rest", "--e=x=y", "--f"]
    assert arguments(words) == {"a": "1", "b": "2", "c": "true", "d": "", "e": "x=y", "f": "true"}
