"""Turn what a topology says of a container into arguments of ``docker run``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.core.settings import named
from proving_ground.core.topology import Node, Topology


def arguments(node: Node, root: Path, checkout: str) -> tuple[str, ...]:
    """Return the arguments for a machine's options.

    Args:
        node: the machine.
        root: the project's root directory, to which paths of volumes are relative.
        checkout: ``Settings.checkout_id``, which the names of volumes contain.
    """
    options = node.options
    words = [("--volume", _volume(each, root, checkout)) for each in options.volumes]
    words += [("--tmpfs", each) for each in options.tmpfs]
    words += [("--publish", each) for each in options.ports]
    words += [("--cap-add", each) for each in options.capabilities]
    words += [("--env", f"{name}={value}") for name, value in options.environment]
    if options.cpus is not None:
        words.append(("--cpus", str(options.cpus)))
    return tuple(word for pair in words for word in pair)


def check(topology: Topology, root: Path) -> None:
    """Check that what volumes take from the project is there: Docker would make a directory of that name.

    Raises:
        UsageError: something is not; names machine and path.
    """
    for node in topology.nodes:
        for source in (each.partition(":")[0] for each in node.options.volumes):
            if _is_path(source) and not Path(source).expanduser().is_absolute() and not (root / source).exists():
                there = [path.relative_to(root).as_posix() for path in (root / source).parent.glob("*")]
                hint = nearest(source.removeprefix("./"), there) if there else "paths are relative to the project"
                raise UsageError(f"there is no {source} in the project", where=f"volumes of {node.name}", hint=hint)


def named_volumes(node: Node) -> tuple[str, ...]:
    """Return the names that a machine has for volumes, as the topology has them."""
    sources = (each.partition(":")[0] for each in node.options.volumes)
    return tuple(source for source in sources if not _is_path(source))


def volumes(machines: Iterable[Node], checkout: str) -> tuple[str, ...]:
    """Return the names of the volumes that these machines need, each once; they are removed with the machines."""
    return tuple(dict.fromkeys(named(checkout, source) for node in machines for source in named_volumes(node)))


def _volume(text: str, root: Path, checkout: str) -> str:
    source, _, rest = text.partition(":")
    place = str((root / Path(source).expanduser()).resolve()) if _is_path(source) else named(checkout, source)
    return f"{place}:{rest}"


def _is_path(source: str) -> bool:
    """Whether a volume's source is a path of the host, and not the name of a volume: as for Docker's own tools."""
    return source.startswith((".", "~")) or "/" in source
