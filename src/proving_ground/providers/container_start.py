"""Start containers with the fewest arguments that work on this host: try sets of them, and keep the one that works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import Timeouts
from proving_ground.process.services import cache_directory
from proving_ground.providers.container_image import Image
from proving_ground.providers.engine import Engine

BOOT_SECONDS = 60.0

SYSTEMD = ("--cgroupns", "private", "--stop-signal", "SIGRTMIN+3", "--env", "container=docker")
SYSTEMD_DIRECTORIES = ("--tmpfs", "/run:exec", "--tmpfs", "/run/lock")

ATTEMPTS = (
    (),  # enough if the engine lets containers write to their own control groups
    ("--security-opt", "writable-cgroups=true"),  # Docker 28 and newer
    ("--cap-add", "SYS_ADMIN"),
    ("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
)
"""Further arguments that systemd may need, fewest rights first. Never the host's control groups."""

PRIVILEGED = (("--privileged",),)
HINT = 'set `privileged = true` in [tool.proving-ground], or `init = "none"` if no service has to run'
STATE = "{{.State.Status}} {{.State.ExitCode}}"
STARTED = "systemctl is-system-running --wait 2>/dev/null || systemctl is-system-running || :"
"""Shell: waits for the end of systemd's start, and prints its state. systemd before 240 does not know ``--wait``."""

WAITING = ("--init", "--entrypoint", "/bin/sh")
"""For a container without systemd: a process that waits, under Docker's init, which reaps others."""


@dataclass(frozen=True)
class Machine:
    """A container to start.

    Attributes:
        name: the machine's.
        container: the container's name.
        image: name of the image it is made of.
        arguments: its address, labels and limits.
    """

    name: str
    container: str
    image: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Containers of one image with the same rights.

    Attributes:
        machines: at least one.
        image: their image, with the path of systemd in it.
        privileged: whether the project asks for ``--privileged`` for them.
    """

    machines: tuple[Machine, ...]
    image: Image
    privileged: bool = False


@dataclass(frozen=True)
class Begun:
    """What is left to do for a group.

    Attributes:
        machines: the containers that still have to be started.
        options: what they get besides their own arguments.
        command: what they run.
        kept: the file with the arguments that have worked for their image; None if they run no systemd.
    """

    machines: tuple[Machine, ...]
    options: tuple[str, ...]
    command: tuple[str, ...] = ()
    kept: Path | None = None


def start(groups: Sequence[Group], engine: Engine, *, init: str, timeouts: Timeouts, log: Path) -> None:
    """Start containers, all at once, and wait until systemd in each has started its enabled units.

    Args:
        groups: the containers.
        engine: runs them.
        init: ``none`` for a process that waits instead of systemd.
        timeouts: of the host.
        log: receives the engine's output.

    Raises:
        MachineError: one did not start; names the machine, the end of its log, and a setting that helps.
    """
    begun = [_begin(group, engine, init, timeouts, log) for group in groups]
    jobs = [(machine, each) for each in begun for machine in each.machines]
    with ThreadPoolExecutor(max(1, len(jobs))) as pool:
        for _ in pool.map(lambda job: _run(job[0], engine, job[1].options, job[1].command, log), jobs):
            pass
    try:
        _await([machine for machine, each in jobs if each.kept is not None], engine, timeouts)
    except MachineError as error:
        for each in begun:  # the next run searches again: something on this host has changed
            if each.kept is not None:
                each.kept.unlink(missing_ok=True)
        raise MachineError(error.what, where=error.where, hint=HINT, log=log) from error


def _begin(group: Group, engine: Engine, init: str, timeouts: Timeouts, log: Path) -> Begun:
    """Find the arguments for a group; where they are not known yet, by starting its first machine."""
    machines, image = group.machines, group.image
    if init == "none" or not image.systemd:
        return Begun(machines, WAITING, ("-c", "exec tail -f /dev/null"))
    attempts = PRIVILEGED if group.privileged else ATTEMPTS
    file = cache_directory() / "containers" / f"{_host_and(image, engine, log)}.json"
    known = None if group.privileged else _read(file)
    if known is None and len(attempts) > 1:
        known = _try(machines[0], image, engine, attempts, timeouts, log)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known), encoding="utf-8")
        machines = machines[1:]
    return Begun(machines, _systemd(image, known if known is not None else attempts[0]), kept=file)


def _systemd(image: Image, attempt: Sequence[str]) -> tuple[str, ...]:
    return (*SYSTEMD, *SYSTEMD_DIRECTORIES, *attempt, "--entrypoint", image.systemd)


def _await(machines: Sequence[Machine], engine: Engine, timeouts: Timeouts) -> None:
    """Wait until systemd has started in all machines; raises MachineError with the end of a machine's log."""
    probes = {f"{each.name} has started": partial(_check_started, each, engine) for each in machines}
    if late := timeouts.wait_for_all(probes, timeout=BOOT_SECONDS, interval=0.1):
        raise MachineError("; ".join(late), where="systemd")


def _run(machine: Machine, engine: Engine, options: Sequence[str], command: Sequence[str], log: Path) -> None:
    own = ("--detach", "--name", machine.container, "--hostname", machine.name, *machine.arguments)
    engine.run("run", *own, *options, machine.image, *command, log=log, timeout=120)


def _try(
    machine: Machine,
    image: Image,
    engine: Engine,
    attempts: Sequence[tuple[str, ...]],
    timeouts: Timeouts,
    log: Path,
) -> list[str]:
    """Start one machine with the first of ``attempts`` that works; return that attempt."""
    why = ""
    for attempt in attempts:
        try:
            _run(machine, engine, _systemd(image, attempt), (), log)
            _await([machine], engine, timeouts)
        except MachineError as error:
            why = error.what
            with suppress(MachineError):  # older clients refuse to remove what the engine has not made
                engine.run("rm", "--force", "--volumes", machine.container, log=log)
        else:
            return list(attempt)
    raise MachineError(why, where=machine.name, hint=HINT, log=log)


def _check_started(machine: Machine, engine: Engine) -> None:
    """Raise NotReady until systemd has started its enabled units; MachineError if process 1 has ended."""
    try:
        said = engine.run("exec", machine.container, "sh", "-c", STARTED, timeout=BOOT_SECONDS).split()
    except MachineError as error:
        state, code = engine.run("inspect", "--format", STATE, machine.container).split()
        if state == "running":
            raise NotReady(error.what) from error
        text = f"process 1 ended with {code}; the end of its log: {_log_of(machine, engine)}"
        raise MachineError(text, where=machine.name) from error
    if not said or said[-1] not in {"running", "degraded"}:
        raise NotReady(f"systemd says {said[-1] if said else 'nothing'}")


def _log_of(machine: Machine, engine: Engine) -> str:
    try:
        return engine.run("logs", "--tail", "5", machine.container).strip().replace("\n", " | ") or "empty"
    except MachineError as error:
        return error.what


def _host_and(image: Image, engine: Engine, log: Path) -> str:
    """Return a hash of engine, kernel and image; if one of them changes, the arguments have to be tried anew."""
    version = engine.run(*engine.version, log=log).strip()
    return hashlib.sha256(f"{engine.program} {version} {image.key}".encode()).hexdigest()[:16]


def _read(file: Path) -> list[str] | None:
    try:
        known: list[str] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known
