"""Find problems in a machine's journal: panics, out-of-memory kills, automatic restarts, the kernel's alarms. Pure.

Machines that are containers share the host's kernel, whose log does not say which container a process is in: there the
check ignores the kernel's log. It reads the count of out-of-memory kills from the machine's cgroup if the machine has a
cgroup namespace; else it reports none. cgroup v1 loses the counts of removed groups. Only in virtual machines does the
check see the crash of a process that is not a unit's main process.

It does not count manual restarts (``systemctl restart``): systemd logs automatic restarts differently.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from proving_ground.diagnostics.findings import Finding, UnreadableError

JOURNAL = r"""
if systemd-detect-virt --quiet --container; then
    # The inode of the host's own cgroup namespace: its counts include processes of all machines.
    if [ "$(readlink /proc/self/ns/cgroup)" != 'cgroup:[4026531835]' ]; then
        if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
            cat /sys/fs/cgroup/memory.events
        else
            find /sys/fs/cgroup/memory -name memory.oom_control -exec cat {} +
        fi 2>/dev/null | awk '$1 == "oom_kill" { killed += $2 } END { print "killed=" killed + 0 }'
    fi
else
    echo kernel=own
fi
systemctl show --property=Id --property=NRestarts '*.service' || echo lacking=systemctl
{
    journalctl --boot --quiet --no-pager --all --output json \
        --output-fields MESSAGE,UNIT,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_UNIT,_TRANSPORT || echo lacking=journal
} | grep -E 'anic|fatal error: |goroutine [0-9]|"MESSAGE" ?: ?\[|ut of memory|segfault at|traps: |BUG|Oops|'\
'general protection|Internal error: |blocked for more than|table full|killed by|Failed with result|Scheduled restart|'\
'too quickly|process exited|lacking='
echo all=told
"""
"""Shell: prints the relevant lines of the journal since boot as JSON, and the counts of systemd and the kernel."""

KERNEL = {
    "out of memory": re.compile(r"(?:Memory cgroup out|Out) of memory.*: Kill(?:ed)? process \d+ \((?P<who>[^)]*)\)"),
    "crash": re.compile(r"(?:traps: )?(?P<who>.+?)\[\d+\]:? (?:segfault at|general protection|trap )"),
    "hung task": re.compile(r"INFO: task (?P<who>.+?):\d+ blocked for more than \d+ seconds"),
    "connection table full": re.compile(r"(?P<who>nf_conntrack)(?:: \w+)?: table full, dropping packet"),
    "kernel fault": re.compile(
        r"(?:watchdog: )?(?P<who>BUG|kernel BUG|Oops|Kernel panic|Internal error|general protection fault)\b"
    ),
}
"""Kind of finding → how its line in the kernel's log begins; ``who`` matches the process."""

PANIC = re.compile(r"panic: |fatal error: |.*\bObserved a panic|.*\bhttp: panic serving ")
"""The first line of a Go program's panic."""

STACK = re.compile(r"\s*goroutine \d+ .*\[")
"""The stack that follows a panic within :data:`STACK_SECONDS`; a log line that only mentions a panic has no stack."""

STACK_SECONDS = 5.0

EXITED = re.compile(r"\S+ process exited, code=(?P<code>\w+), status=\d+/(?P<status>\w+)")
CRASHES = {"SEGV", "BUS", "ILL", "FPE", "SYS", "ABRT", "TRAP"}


@dataclass(frozen=True)
class Entry:
    """One line of a journal: its unit or program, the writer's PID, the transport, the time (seconds), and the text."""

    source: str
    pid: str
    transport: str
    seconds: float
    text: str


def read(host: str, shown: str) -> Iterator[Finding]:
    """Yield the findings in the output of :data:`JOURNAL` on ``host``.

    Raises:
        UnreadableError: the journal or systemd's counts are missing or incomplete.
    """
    lines = shown.splitlines()
    plain = [tuple(line.split("=", 1)) for line in lines if re.fullmatch(r"\w+=\S+", line)]
    entries = [entry_of(json.loads(line)) for line in lines if line.startswith("{") and line.endswith("}")]
    yield from _units(host, [entry for entry in entries if entry.pid == "1"], _restarts(plain))
    yield from panics(host, [entry for entry in entries if entry.transport != "kernel"])
    if ("kernel", "own") in plain:
        yield from _kernel(host, [entry for entry in entries if entry.transport == "kernel"])
    for name, value in plain:
        if name == "killed" and value != "0":
            yield Finding(host, "out of memory", "its control group", "processes killed by the kernel", int(value))
    lacking = [value for name, value in plain if name == "lacking"]
    if lacking or ("all", "told") not in plain:
        raise UnreadableError(f"missing in the output: {', '.join(lacking) or 'the end'}")


def entry_of(record: dict[str, Any]) -> Entry:
    """Convert an entry from JSON, in which journald writes a text with unprintable characters as a list of bytes."""
    message = record.get("MESSAGE") or ""
    text = bytes(message).decode(errors="replace") if isinstance(message, list) else str(message)
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    pid = str(record.get("_PID", ""))
    names = ("UNIT", "SYSLOG_IDENTIFIER") if pid == "1" else ("_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER")
    source = next((str(record[name]) for name in names if record.get(name)), "?")
    seconds = int(record.get("__REALTIME_TIMESTAMP", 0)) / 1e6
    return Entry(source, pid, str(record.get("_TRANSPORT", "")), seconds, text)


def _restarts(plain: Iterable[tuple[str, ...]]) -> Counter[str]:
    """Return automatic restarts by unit from ``systemctl show``, which prints the two properties in any order."""
    counts: Counter[str] = Counter()
    unit, count = "", ""
    for name, value in plain:
        unit, count = (value if name == "Id" else unit), (value if name == "NRestarts" else count)
        if unit and count:
            counts[unit] = int(count)
            unit, count = "", ""
    return counts


def _units(host: str, entries: Iterable[Entry], restarts: Counter[str]) -> Iterator[Finding]:
    """Yield findings in systemd's own log lines (PID 1) about units."""
    ended: dict[str, str] = {}
    again: Counter[str] = Counter()
    killed: dict[str, Counter[str]] = {}
    for entry in entries:
        text = entry.text.removeprefix(f"{entry.source}: ")
        if exited := EXITED.match(text):
            ended[entry.source] = text
            if exited["code"] in {"killed", "dumped"} and exited["status"] in CRASHES:
                yield Finding(host, "crash", entry.source, text)
        elif text.startswith("Scheduled restart job"):
            again[entry.source] += 1
        elif text.startswith("Start request repeated too quickly"):
            yield Finding(host, "crash loop", entry.source, text)
        elif text.startswith(("A process of this unit has been killed by", "Failed with result 'oom-kill'")):
            killed.setdefault(entry.source, Counter())[text] += 1
    for unit, texts in killed.items():  # systemd logs one kill twice
        yield Finding(host, "out of memory", unit, next(iter(texts)), max(texts.values()))
    for unit, count in (again | restarts).items():  # a manual restart resets systemctl's count
        if count:
            yield Finding(host, "restarted by itself", unit, ended.get(unit, "(the journal does not say why)"), count)


def panics(host: str, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Yield panics of Go programs, also recovered ones: a panic line, soon followed by a stack of the same process."""
    begun: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        process = (entry.source, entry.pid)
        if STACK.match(entry.text):
            first = begun.pop(process, None)
            if first is not None and entry.seconds - first.seconds <= STACK_SECONDS:
                yield Finding(host, "panic", entry.source, first.text)
        elif PANIC.match(entry.text):
            begun[process] = entry


def _kernel(host: str, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Yield findings in the kernel's log: processes that it killed or that crashed, and faults of the kernel."""
    for entry in entries:
        for what, pattern in KERNEL.items():
            if match := pattern.match(entry.text):
                yield Finding(host, what, f"kernel, {match['who']}", entry.text)
