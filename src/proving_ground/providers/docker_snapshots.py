"""Save and restore container machines at one moment: layers as images, /var as volumes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady, WaitTimeoutError
from proving_ground.core.settings import named
from proving_ground.core.timeouts import USUAL
from proving_ground.providers.docker_engine import DOCKER
from proving_ground.providers.engine import Engine

IMAGES = "proving-ground/checkpoint"
OWNER = "proving-ground.checkpoints-of"
"""Label of checkpoints' volumes; its value is the checkout's id. Machines' own volumes have another label."""

BUSY = "unable to freeze"
"""What runc says when it has tried a thousand times to freeze a control group of version 1."""

COPY = r"""
set -eu
copy() {  # PID FROM TO: PID is 0 when nothing runs
  from=/volumes/$2/_data to=/volumes/$3/_data
  written=
  if [ "$1" != 0 ]; then
    written=$(grep -o 'upperdir=[^,]*' "/proc/$1/mountinfo" | sed 's,^upperdir=/var/,,' | tr '\n' ' ') || true
  fi
  cd "$from"
  for path in $WRITTEN_ONCE; do
    case " $written " in *" $path "*) continue ;; esac
    [ ! -e "$path" ] || cp --archive --link --parents "$path" "$to"
  done
  cp --archive --reflink=auto --no-clobber "$from/." "$to"
  # With two directories in one call, du counts hard links that they share only in the first.
  du --summarize --block-size=1 "$from" "$to" | tail -n 1 | cut -f 1
}
jobs=
while [ $# -gt 0 ]; do
  copy "$1" "$2" "$3" &
  jobs="$jobs $!"
  shift 3
done
for job in $jobs; do wait "$job"; done
"""
"""Shell: copies volumes. It hard-links files that are written once, which is faster and takes no space, except files in
the upper directory of an overlay that is mounted in the machine: the layer of a running container."""

DEADLINE = 300
"""Time-out of commands that copy, in seconds."""


@dataclass(frozen=True)
class Saved:
    """One machine in one checkpoint.

    Attributes:
        machine: name of the machine's container and of its volume.
        volume: name of the checkpoint's volume.
        image: name of the checkpoint's image.
    """

    machine: str
    volume: str
    image: str


def saved(checkout: str, key: str, node: str) -> Saved:
    """Return the names of node ``node`` of checkout ``checkout`` in checkpoint ``key``."""
    return Saved(
        machine=named(checkout, node),
        volume=named(checkout, key, node),
        image=f"{IMAGES}:{checkout}-{key}-{node}",
    )


def save(machines: Sequence[Saved], checkout: str, written_once: Iterable[str], image: str, log: Path) -> int:
    """Save machines at one moment: pause the containers, save them, and unpause them.

    Args:
        machines: the names of each machine and its checkpoint.
        checkout: ``Settings.checkout_id``.
        written_once: paths below ``/var`` (patterns of the shell) whose files never change once written.
        image: the machines' image, which has a shell and coreutils.
        log: file that receives the output of programs.

    Returns:
        bytes on disk.

    Raises:
        MachineError: something failed; the machines still run.
    """
    containers = [each.machine for each in machines]
    pids = DOCKER.run("inspect", "--format", "{{.State.Pid}}", *containers, log=log).split()
    # A checkout that was deleted and made again at the same path has the same id: its old volumes have these names.
    DOCKER.run("volume", "rm", "--force", *(each.volume for each in machines), log=log)
    for each in machines:
        DOCKER.run("volume", "create", "--label", f"{OWNER}={checkout}", each.volume, log=log)
    with _standing_still(containers, log), ThreadPoolExecutor() as pool:
        commits = [
            pool.submit(DOCKER.run, "commit", "--pause=false", each.machine, each.image, log=log, timeout=DEADLINE)
            for each in machines
        ]
        copies = [(pid, each.machine, each.volume) for pid, each in zip(pids, machines, strict=True)]
        copied = _copy(copies, written_once, image, log)
        for commit in commits:
            commit.result()
    images = DOCKER.run("image", "inspect", "--format", "{{.Size}}", image, *(each.image for each in machines), log=log)
    base, *sizes = (int(word) for word in images.split())
    return copied + sum(each - base for each in sizes)


def _named(containers: Iterable[str]) -> list[str]:
    """The filters of ``docker ps`` for exactly these containers."""
    return [f"--filter=name=^/{each}$" for each in containers]


def _pause(containers: Sequence[str], log: Path) -> None:
    """Pause them all; one that forks processes faster than the engine freezes them takes more than one attempt."""
    running = list(containers)

    def attempt() -> None:
        try:
            DOCKER.run("pause", *running, log=log)
        except MachineError as error:
            if BUSY not in str(error):
                raise
            running[:] = DOCKER.run("ps", "--quiet", *_named(containers), "--filter=status=running").split()
            raise NotReady(str(error)) from error

    try:
        USUAL.wait_until("the machines stand still", attempt, timeout=60, interval=1)
    except WaitTimeoutError as error:
        raise MachineError(str(error), hint="try again when the host is less busy", log=log) from error


@contextmanager
def _standing_still(containers: Sequence[str], log: Path) -> Iterator[None]:
    try:
        _pause(containers, log)
        yield
    finally:
        # Also after an error or interruption: unpause all paused containers.
        standing = DOCKER.run("ps", "--quiet", *_named(containers), "--filter=status=paused")
        if standing:
            DOCKER.run("unpause", *standing.split(), log=log)


def restore(
    machines: Sequence[Saved], labels: Sequence[str], written_once: Iterable[str], image: str, log: Path
) -> None:
    """Create the volumes of new machines from those of a checkpoint.

    Args:
        machines: the names of each machine and its checkpoint.
        labels: the labels of the new volumes.
        written_once: as in :func:`save`.
        image: as in :func:`save`.
        log: file that receives the output of programs.

    Raises:
        MachineError: something failed.
    """
    for each in machines:
        DOCKER.run("volume", "create", *(f"--label={label}" for label in labels), each.machine, log=log)
    _copy([("0", each.volume, each.machine) for each in machines], written_once, image, log)


def _copy(copies: Sequence[tuple[str, str, str]], written_once: Iterable[str], image: str, log: Path) -> int:
    """Copy volumes in parallel: for each the process (or 0), source, target; returns the bytes on disk."""
    mountpoint = DOCKER.run("volume", "inspect", "--format", "{{.Mountpoint}}", copies[0][2], log=log).strip()
    # Hard links cannot cross mounts: one mount contains all volumes.
    volumes = f"type=bind,source={Path(mountpoint).parent.parent},destination=/volumes"
    # Reading the mounts of another process needs permission to trace it.
    sees = ("--pid", "host", "--cap-add", "SYS_PTRACE", "--security-opt", "apparmor=unconfined", "--network", "none")
    variables = ("--env", f"WRITTEN_ONCE={' '.join(written_once)}")
    run = ("run", "--rm", "--mount", volumes, *sees, *variables, "--entrypoint", "/bin/sh", image, "-c", COPY, "copy")
    told = DOCKER.run(*run, *(word for copy in copies for word in copy), log=log, timeout=DEADLINE)
    return sum(int(line) for line in told.split())


def forget(engine: Engine, checkout: str, key: str, log: Path) -> None:
    """Remove images and volumes of one checkpoint.

    Raises:
        MachineError: something could not be removed.
    """
    ours = engine.run("volume", "ls", "--quiet", "--filter", f"label={OWNER}={checkout}").split()
    volumes = [volume for volume in ours if volume.startswith(named(checkout, key, ""))]
    # Podman puts localhost/ before the names of images that it has made.
    names = engine.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    images = [name for name in names if name.removeprefix("localhost/").startswith(f"{IMAGES}:{checkout}-{key}-")]
    if volumes:
        engine.run("volume", "rm", *volumes, log=log)
    if images:
        engine.run("image", "rm", *images, log=log)
