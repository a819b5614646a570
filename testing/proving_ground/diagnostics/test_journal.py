"""What is amiss is read from a machine's journal: panics, kills, crashes, automatic restarts; and nothing else is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from proving_ground.diagnostics.findings import Finding, UnreadableError, distinct
from proving_ground.diagnostics.journal import JOURNAL, read

SECOND = 1_000_000
STACK = "goroutine 1 [running]:"
KUBELET = "kubelet.service"


def line(text: str | list[int], *, seconds: int = 0, **fields: str) -> str:
    """One entry as journalctl prints it as JSON."""
    return json.dumps({"__REALTIME_TIMESTAMP": str(1795437112705913 + seconds * SECOND), "MESSAGE": text} | fields)


def systemd(unit: str, text: str) -> str:
    """What systemd says of a unit."""
    return line(f"{unit}: {text}", _PID="1", UNIT=unit, SYSLOG_IDENTIFIER="systemd", _SYSTEMD_UNIT="init.scope")


def program(text: str | list[int], unit: str = KUBELET, pid: str = "812", seconds: int = 0) -> str:
    """What a unit's program has printed."""
    fields = {"_SYSTEMD_UNIT": unit, "SYSLOG_IDENTIFIER": unit.removesuffix(".service"), "_TRANSPORT": "stdout"}
    return line(text, seconds=seconds, _PID=pid, **fields)


def kernel(text: str) -> str:
    """A line of the kernel's log."""
    return line(text, _TRANSPORT="kernel", SYSLOG_IDENTIFIER="kernel")


def told(*lines: str, complete: bool = True) -> list[Finding]:
    """The findings in such a journal."""
    return distinct(read("kube-worker-01", "\n".join([*lines, *(["all=told"] if complete else [])]) + "\n"))


def kinds(findings: Iterable[Finding]) -> list[tuple[str, str, int]]:
    return [(finding.what, finding.subject, finding.count) for finding in findings]


def test_panic_of_a_program_is_its_words_and_not_its_stack() -> None:
    words = "panic: runtime error: invalid memory address or nil pointer dereference"
    (finding,) = told(program(words), program("[signal SIGSEGV: segmentation violation]"), program(STACK))
    assert finding == Finding("kube-worker-01", "panic", KUBELET, words)


@pytest.mark.parametrize(
    "words",
    [
        "fatal error: concurrent map writes",
        'E1123 12:00:01.250712     812 panic.go:115] "Observed a panic" panic="assignment to entry in nil map"',
        "2026/11/23 12:00:01 http: panic serving 10.0.0.111:51234: boom",
    ],
)
@pytest.mark.parametrize("stack", [STACK, "\tgoroutine 7 gp=0xc000006700 m=4 mp=0xc000100008 [running]:"])
def test_panic_is_known_in_every_form(words: str, stack: str) -> None:
    assert kinds(told(program(words), program(stack))) == [("panic", KUBELET, 1)]


def test_coloured_panic_is_one_too() -> None:
    coloured = list(b"\x1b[31mpanic: boom\x1b[0m")
    assert [finding.line for finding in told(program(coloured), program(STACK))] == ["panic: boom"]


def test_nested_panic_is_one() -> None:
    lines = ["panic: boom [recovered]", "\tpanic: boom again", STACK, "goroutine 2 [select]:"]
    assert kinds(told(*map(program, lines))) == [("panic", KUBELET, 1)]


@pytest.mark.parametrize(
    "lines",
    [
        [program("panic recovery enabled")],
        [program("panic: is what this program never does")],
        [program("panic: boom", pid="1000"), program(STACK, pid="2000")],
        [program("panic: boom"), program(STACK, "etcd.service")],
        [program("panic: boom"), program(STACK, seconds=60)],
        [program("SIGQUIT: quit"), program(STACK)],
        [program("ran test_a_panic_is_found[fatal error: none]"), program(STACK)],
        [program("I1123 12:00:01.250712 812 reconciler.go:41] 0 restarts, no segfault at all")],
        [program("kubelet.service: Scheduled restart job, restart counter is at 4.")],
        [program("Memory cgroup out of memory: Killed process 9 (sh)")],
        [program("core : COMMAND=/usr/bin/grep 'Out of memory: Killed process 9 (sh)'", "ssh.service")],
        [systemd(KUBELET, "Main process exited, code=killed, status=15/TERM")],
        [systemd(KUBELET, "Failed with result 'exit-code'.")],
        [systemd(KUBELET, "Deactivated successfully.")],
        ["Id=etcd.service", "NRestarts=0", "killed=0", "Warning: of sudo, about a name"],
    ],
)
def test_false_friends_are_no_findings(lines: list[str]) -> None:
    assert told("kernel=own", *lines) == []


def test_automatic_restarts_are_counted_with_the_last_cause() -> None:
    journal = []
    for number, status in enumerate(["2/INVALIDARGUMENT", "1/FAILURE"], start=1):
        journal += [
            systemd(KUBELET, f"Main process exited, code=exited, status={status}"),
            systemd(KUBELET, "Failed with result 'exit-code'."),
            systemd(KUBELET, f"Scheduled restart job, restart counter is at {number}."),
        ]
    (finding,) = told("Id=kubelet.service", "NRestarts=2", *journal)
    cause = "Main process exited, code=exited, status=1/FAILURE"
    assert finding == Finding("kube-worker-01", "restarted by itself", KUBELET, cause, 2)


@pytest.mark.parametrize("counts", [["NRestarts=3", "Id=etcd.service"], ["Id=etcd.service", "NRestarts=3"]])
def test_restarts_that_only_systemctl_knows_are_counted(counts: list[str]) -> None:
    others = ["NRestarts=0", "Id=ssh.service"] if counts[0].startswith("N") else ["Id=ssh.service", "NRestarts=0"]
    assert kinds(told(*others, *counts, *others)) == [("restarted by itself", "etcd.service", 3)]


def test_restarts_that_systemctl_has_forgotten_are_counted() -> None:
    scheduled = systemd("etcd.service", "Scheduled restart job, restart counter is at 1.")
    found = told("Id=etcd.service", "NRestarts=0", scheduled)
    assert kinds(found) == [("restarted by itself", "etcd.service", 1)]


def test_crash_loop_is_one() -> None:
    found = told(systemd("x.service", "Start request repeated too quickly."))
    assert kinds(found) == [("crash loop", "x.service", 1)]


@pytest.mark.parametrize("status", ["killed, status=11/SEGV", "dumped, status=6/ABRT"])
def test_crash_of_a_unit_is_told_by_systemd(status: str) -> None:
    found = told(systemd("x.service", f"Main process exited, code={status}"))
    assert kinds(found) == [("crash", "x.service", 1)]


def test_kill_for_want_of_memory_is_told_twice_and_counted_once() -> None:
    journal = [
        systemd("x.service", "A process of this unit has been killed by the OOM killer."),
        systemd("x.service", "Failed with result 'oom-kill'."),
    ]
    assert kinds(told(*journal)) == [("out of memory", "x.service", 1)]
    assert kinds(told(*journal[1:])) == [("out of memory", "x.service", 1)]


KERNEL = [
    ("Memory cgroup out of memory: Killed process 4711 (redis-server) total-vm:1kB", "out of memory", "redis-server"),
    ("Out of memory: Killed process 4712 (etcd) total-vm:10kB, anon-rss:1kB", "out of memory", "etcd"),
    ("coredns[1234]: segfault at 0 ip 00005555 sp 00007ffd error 4 in coredns[5555+1000]", "crash", "coredns"),
    ("traps: flanneld[77] general protection fault ip:40 sp:7f error:0 in flanneld[400000+1000]", "crash", "flanneld"),
    ("traps: runc:[2:INIT][9] trap invalid opcode ip:40 sp:7f error:0", "crash", "runc:[2:INIT]"),
    ("BUG: kernel NULL pointer dereference, address: 0000000000000008", "kernel fault", "BUG"),
    ("INFO: task kworker/0:1:12 blocked for more than 122 seconds.", "hung task", "kworker/0:1"),
    ("nf_conntrack: nf_conntrack: table full, dropping packet", "connection table full", "nf_conntrack"),
    ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [kubelet:812]", "kernel fault", "BUG"),
]


@pytest.mark.parametrize(("text", "what", "who"), KERNEL)
def test_kernel_of_its_own_is_believed(text: str, what: str, who: str) -> None:
    assert kinds(told("kernel=own", kernel(text))) == [(what, f"kernel, {who}", 1)]


@pytest.mark.parametrize("text", [text for text, _, _ in KERNEL])
def test_kernel_that_is_shared_tells_of_others_and_is_not_believed(text: str) -> None:
    assert told("killed=0", kernel(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=redis-server,pid=4711,uid=0",
        "systemd[1]: kernel=debug: Out of memory is what never happens here",
        "Memory: 2014220K/2096632K available",
        "Command line: console=ttyS0 panic=-1 oops=panic",
        "DEBUG: no BUG here",
    ],
)
def test_kernel_says_more_than_faults(text: str) -> None:
    assert told("kernel=own", kernel(text)) == []


def test_what_the_machines_own_control_group_counts_is_its_own() -> None:
    (finding,) = told("killed=2")
    assert (finding.what, finding.count) == ("out of memory", 2)


def test_same_finding_is_told_once_whatever_its_numbers() -> None:
    journal = [program(text, pid=pid) for pid in ("7", "8") for text in (f"panic: at 0xc0000{pid}", STACK)]
    (finding,) = told(*journal)
    assert (finding.line, finding.count) == ("panic: at 0xc00007", 2)


def test_secrets_do_not_get_into_findings() -> None:
    (finding,) = told(program("panic: cannot log in with password=correct-horse"), program(STACK))
    assert "correct-horse" not in finding.line


@pytest.mark.parametrize("lacking", [["lacking=journal"], ["lacking=systemctl"]])
def test_journal_that_could_not_be_read_is_not_an_empty_one(lacking: list[str]) -> None:
    with pytest.raises(UnreadableError, match=lacking[0].partition("=")[2]):
        told(*lacking)


def test_journal_without_its_end_is_no_whole_one_but_tells_what_it_has() -> None:
    found: Iterator[Finding] = iter(read("x", systemd("x.service", "Start request repeated too quickly.")))
    assert next(found).what == "crash loop"
    with pytest.raises(UnreadableError, match="the end"):
        next(found)


COMMANDS = {
    "systemd-detect-virt": "exit {container}",
    "readlink": "echo 'cgroup:[{namespace}]'",
    "systemctl": "printf 'Id=x.service\\nNRestarts=1\\n'",
    "journalctl": "cat journal; exit {journal}",
}


def shown(tmp_path: Path, **values: object) -> str:
    """What the script prints on a machine whose programs are these."""
    for name, does in COMMANDS.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{does}\n".format(**{"container": 1, "namespace": 7, "journal": 0} | values))
        path.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = ["sh", "-s"]
    done = subprocess.run(
        command, input=JOURNAL, text=True, capture_output=True, check=True, env=environment, cwd=tmp_path
    )
    return done.stdout


def test_script_lets_through_what_is_read_and_little_else(tmp_path: Path) -> None:
    coloured = program(list(b"\x1b[31mpanic: boom\x1b[0m"), "y.service").replace(" ", "")
    journal = [program("panic: boom"), program(STACK), coloured, program(STACK, "y.service"), program("all is well")]
    (tmp_path / "journal").write_text("\n".join([*journal, kernel(KERNEL[2][0])]) + "\n")
    text = shown(tmp_path)
    assert "all is well" not in text
    assert kinds(read("x", text)) == [
        ("restarted by itself", "x.service", 1),
        ("panic", KUBELET, 1),
        ("panic", "y.service", 1),
        ("crash", "kernel, coredns", 1),
    ]


def test_script_finds_every_form_that_is_read(tmp_path: Path) -> None:
    texts = ["Start request repeated too quickly.", "A process of this unit has been killed by the OOM killer."]
    texts += ["Main process exited, code=killed, status=11/SEGV", "Failed with result 'oom-kill'."]
    journal = [*(systemd("x.service", text) for text in [*texts, "Scheduled restart job, restart counter is at 2."])]
    journal += [kernel(text) for text, _, _ in KERNEL]
    (tmp_path / "journal").write_text("\n".join(journal) + "\n")
    everything = ["kernel=own", "Id=x.service", "NRestarts=1", *journal, "all=told"]
    assert kinds(read("x", shown(tmp_path))) == kinds(read("x", "\n".join(everything)))


def test_script_in_a_container_says_nothing_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(kernel(KERNEL[0][0]) + "\n")
    assert "kernel=own" not in shown(tmp_path, container=0)
    assert "killed=" in shown(tmp_path, container=0)
    assert "killed=" not in shown(tmp_path, container=0, namespace=4026531835)


def test_script_says_that_the_journal_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("")
    with pytest.raises(UnreadableError, match="journal"):
        list(read("x", shown(tmp_path, journal=1)))
