"""Run diagnostic commands on a machine, as a person would do by hand, and collect their output."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.machines.access import root_shell

SECONDS = 4.5
"""Default time-out of a collector, in seconds."""


@dataclass(frozen=True)
class Collector:
    """A command that collects evidence.

    Attributes:
        name: name of its output file, without ``.txt``.
        command: program and arguments, run on the controller.
        script: the command's standard input.
    """

    name: str
    command: Sequence[str]
    script: str = ""


@dataclass(frozen=True)
class Seen:
    """The output of a collector.

    Attributes:
        text: standard output and error of the command, until its end or the time-out.
        trouble: why the text may be incomplete; empty if the command succeeded.
    """

    text: str
    trouble: str = ""


def take(look: Collector, timeouts: Timeouts = USUAL, seconds: float = SECONDS) -> Seen:
    """Run one collector with a time-out in seconds; raises no error of the command."""
    try:
        done = subprocess.run(
            look.command,
            input=look.script.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=timeouts.seconds(seconds),
        )
    except subprocess.TimeoutExpired as late:
        seen = (late.stdout or b"").decode(errors="replace")
        return Seen(seen, f"the rest did not come within {timeouts.seconds(seconds):g} s")
    except OSError as error:
        return Seen("", f"could not run: {error}")
    text = done.stdout.decode(errors="replace")
    return Seen(text, f"ended with {done.returncode}" if done.returncode else "")


def run_collectors(
    wanted: Sequence[Collector], timeouts: Timeouts = USUAL, seconds: float = SECONDS
) -> Iterator[tuple[Collector, Seen]]:
    """Run all collectors at the same time, each with a time-out in seconds; yields each with its output, in order."""
    with ThreadPoolExecutor(max(1, len(wanted))) as threads:
        yield from zip(wanted, threads.map(lambda look: take(look, timeouts, seconds), wanted), strict=True)


def on_machine(settings: Settings, host: str, name: str, script: str) -> Collector:
    """A shell script run as root on ``host``, over the connection that the run shares."""
    return Collector(name, root_shell(settings, host), script)


SHOW = r"""
show() { printf '\n===== %s\n' "$*"; "$@" 2>&1 | tail -n "${lines:-100}"; }
"""
"""Shell: runs a command, prints the command line as a heading and the last lines of the output."""

MACHINE = (
    SHOW
    + r"""
count() { sort | uniq -c | sort -rn | head -n 40; }
show uptime
show systemctl list-units --failed --plain --no-legend --no-pager
for file in /etc/systemd/system/*.service; do
    # What is masked or an alias is a link.
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    unit=${file##*/}
    # A unit of ours that has done its work and ended well is as it should be.
    [ "$(systemctl show --property=Type --value "$unit")" = oneshot ] && systemctl is-active -q "$unit" && continue
    systemctl is-active -q "$unit" || show systemctl status --no-pager --full --lines=40 "$unit"
done
for unit in $(systemctl list-units --failed --plain --no-legend --no-pager | cut -d ' ' -f 1); do
    lines=60 show journalctl --no-pager --unit "$unit" --lines 60
done
show ip -brief address
show ip route
show ip -details -brief link show type vxlan
show ss -Hltn
printf '\n===== iptables: rules by table and chain\n'
iptables-save 2>&1 | awk '/^[*]/ {table = $1} /^-A/ {print table, $2}' | count
printf '\n===== ipset: entries by set\n'
ipset save 2>&1 | awk '$1 == "add" {print $2}' | count
show free -m
show df -h / /var
lines=120 show journalctl --no-pager --priority warning --lines 120
"""
)
"""Shell: prints the state of a machine; needs nothing that a role installs."""
