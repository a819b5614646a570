"""Find trouble in a machine's journal: panics, out-of-memory kills, automatic restarts. Pure.

Machines that are containers share the host's kernel, whose log tells of everybody's processes and does not say whose:
nothing of it is taken there. What the machine's own control group counts as killed for want of memory is its own where
it has a namespace of control groups; elsewhere nothing is said of it. Version 1 of control groups forgets the counts of
groups that are gone. The crash of a process that is no unit's main process is seen in virtual machines alone.

Restarts that somebody asked for (``systemctl restart``) are not counted: systemd notes those that it makes by itself.
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
    # The number of the host's own namespace of control groups: what is counted there is everybody's.
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
'general protection|Internal error: |killed by|Failed with result|Scheduled restart|too quickly|process exited|lacking='
echo all=told
"""
"""Shell: the lines of the journal since boot that may matter, as JSON, and what systemd and the kernel count."""

KERNEL = {
    "out of memory": re.compile(r"(?:Memory cgroup out|Out) of memory.*: Kill(?:ed)? process \d+ \((?P<who>[^)]*)\)"),
    "crash": re.compile(r"(?:traps: )?(?P<who>.+?)\[\d+\]:? (?:segfault at|general protection|trap )"),
    "kernel fault": re.compile(
        r"(?:watchdog: )?(?P<who>BUG|kernel BUG|Oops|Kernel panic|Internal error|general protection fault)\b"
    ),
}
"""By kind: how a line of the kernel's log begins that tells of it, and of whom."""

PANIC = re.compile(r"panic: |fatal error: |.*\bObserved a panic|.*\bhttp: panic serving ")
"""How a Go program begins to tell that it panics…"""

STACK = re.compile(r"\s*goroutine \d+ .*\[")
"""…and how it goes on, within so many seconds. Who merely talks of a panic prints no stack."""

STACK_SECONDS = 5.0

EXITED = re.compile(r"\S+ process exited, code=(?P<code>\w+), status=\d+/(?P<status>\w+)")
CRASHES = {"SEGV", "BUS", "ILL", "FPE", "SYS", "ABRT", "TRAP"}


@dataclass(frozen=True)
class Entry:
    """One line of a journal: whose it is, who wrote it, when (seconds), and its text."""

    source: str
    pid: str
    transport: str
    seconds: float
    text: str


def read(host: str, shown: str) -> Iterator[Finding]:
    """The findings in what :data:`JOURNAL` has printed on ``host``.

    Raises:
        UnreadableError: the journal or systemd's counts are not in it, or not all of them.
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
        raise UnreadableError(f"not told by the machine: {', '.join(lacking) or 'the end'}")


def entry_of(record: dict[str, Any]) -> Entry:
    """An entry from its JSON, in which a text that no terminal should see is a list of bytes."""
    message = record.get("MESSAGE") or ""
    text = bytes(message).decode(errors="replace") if isinstance(message, list) else str(message)
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    pid = str(record.get("_PID", ""))
    names = ("UNIT", "SYSLOG_IDENTIFIER") if pid == "1" else ("_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER")
    source = next((str(record[name]) for name in names if record.get(name)), "?")
    seconds = int(record.get("__REALTIME_TIMESTAMP", 0)) / 1e6
    return Entry(source, pid, str(record.get("_TRANSPORT", "")), seconds, text)


def _restarts(plain: Iterable[tuple[str, ...]]) -> Counter[str]:
    """Automatic restarts by unit, as ``systemctl show`` counts them, in whichever order it names them."""
    counts: Counter[str] = Counter()
    unit, count = "", ""
    for name, value in plain:
        unit, count = (value if name == "Id" else unit), (value if name == "NRestarts" else count)
        if unit and count:
            counts[unit] = int(count)
            unit, count = "", ""
    return counts


def _units(host: str, entries: Iterable[Entry], restarts: Counter[str]) -> Iterator[Finding]:
    """What systemd itself (process 1) tells of units."""
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
    for unit, texts in killed.items():  # one kill is told twice
        yield Finding(host, "out of memory", unit, next(iter(texts)), max(texts.values()))
    for unit, count in (again | restarts).items():  # systemctl forgets what it counted before a restart by hand
        if count:
            yield Finding(host, "restarted by itself", unit, ended.get(unit, "(the journal does not say why)"), count)


def panics(host: str, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Panics of Go programs, recovered ones too: the words, and soon after them a stack, from the same process."""
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
    """What the kernel tells of processes that it killed or that crashed, and of itself."""
    for entry in entries:
        for what, pattern in KERNEL.items():
            if match := pattern.match(entry.text):
                yield Finding(host, what, f"kernel, {match['who']}", entry.text)
