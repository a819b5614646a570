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


def start(
    machines: Sequence[Machine],
    image: Image,
    engine: Engine,
    *,
    init: str,
    privileged: bool,
    timeouts: Timeouts,
    log: Path,
) -> None:
    """Start containers, and wait until systemd in each has started its enabled units.

    Args:
        machines: the containers.
        image: their image, with the path of systemd in it.
        engine: runs them.
        init: ``none`` for a process that waits instead of systemd.
        privileged: whether the project asks for ``--privileged``.
        timeouts: of the host.
        log: receives the engine's output.

    Raises:
        MachineError: one did not start; names the machine, the end of its log, and a setting that helps.
    """
    if init == "none" or not image.systemd:
        _at_once(machines, engine, WAITING, ("-c", "exec tail -f /dev/null"), log)
        return
    attempts = PRIVILEGED if privileged else ATTEMPTS
    file = cache_directory() / "containers" / f"{_host_and(image, engine, log)}.json"
    known = None if privileged else _read(file)
    if known is None and len(attempts) > 1:
        first, *others = machines
        known = _try(first, image, engine, attempts, timeouts, log)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known), encoding="utf-8")
        machines = others
    chosen = known if known is not None else attempts[0]
    _at_once(machines, engine, (*SYSTEMD, *SYSTEMD_DIRECTORIES, *chosen, "--entrypoint", image.systemd), (), log)
    try:
        _await(machines, engine, timeouts)
    except MachineError as error:
        file.unlink(missing_ok=True)  # the next run searches again: something on this host has changed
        raise MachineError(error.what, where=error.where, hint=HINT, log=log) from error


def _await(machines: Sequence[Machine], engine: Engine, timeouts: Timeouts) -> None:
    """Wait until systemd has started in all machines; raises MachineError with the end of a machine's log."""
    probes = {f"{each.name} has started": partial(_check_started, each, engine) for each in machines}
    if late := timeouts.wait_for_all(probes, timeout=BOOT_SECONDS, interval=0.1):
        raise MachineError("; ".join(late), where="systemd")


def _at_once(
    machines: Sequence[Machine], engine: Engine, options: Sequence[str], command: Sequence[str], log: Path
) -> None:
    with ThreadPoolExecutor(max(1, len(machines))) as pool:
        for _ in pool.map(lambda each: _run(each, engine, options, command, log), machines):
            pass


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
            options = (*SYSTEMD, *SYSTEMD_DIRECTORIES, *attempt, "--entrypoint", image.systemd)
            _run(machine, engine, options, (), log)
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
    state, code = engine.run("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", machine.container).split()
    if state != "running":
        text = f"process 1 ended with {code}; the end of its log: {_log_of(machine, engine)}"
        raise MachineError(text, where=machine.name)
    try:
        said = engine.run("exec", machine.container, "sh", "-c", "systemctl is-system-running || :").strip()
    except MachineError as error:
        raise NotReady(error.what) from error
    if said not in {"running", "degraded"}:
        raise NotReady(f"systemd says {said or 'nothing'}")


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
