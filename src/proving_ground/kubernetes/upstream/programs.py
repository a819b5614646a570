"""Call upstream's programs: what cases and images they have, and the command line that runs some of the cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proving_ground.core.errors import DepotError
from proving_ground.process import commands

LIST_SECONDS = 120.0
"""Time-out of a list, in seconds: it takes one, but on a busy or emulated host many."""

CASE = re.compile(r"^\s+\S+\.go:\d+: (.+)$")
"""The line of a case in the list: where it is written, and its name."""

SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
"""Characters that mean something in a pattern of Go's."""


@dataclass(frozen=True)
class Cluster:
    """The cluster that the cases run on.

    Attributes:
        kubeconfig: its file with server and credentials.
        context: the context of that file; None for its current one.
        kubectl: the program, of the cluster's version.
    """

    kubeconfig: Path
    context: str | None
    kubectl: Path


@dataclass(frozen=True)
class Programs:
    """Upstream's programs.

    Attributes:
        directory: where ``e2e.test`` and ``ginkgo`` are, both of the version that the cluster has.
    """

    directory: Path

    def cases(self) -> list[str]:
        """Return the names of all cases; raises DepotError if the program cannot be run, or lists none."""
        return [found[1] for line in self._list("--list-tests") if (found := CASE.match(line)) is not None]

    def images(self) -> list[str]:
        """Return the references of all images that cases use, sorted; raises DepotError as :meth:`cases`."""
        return sorted(line.strip() for line in self._list("--list-images"))

    def _list(self, option: str) -> list[str]:
        program = self.directory / "e2e.test"
        text = commands.run([str(program), option], error=DepotError, where=program.name, timeout=LIST_SECONDS)
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines:
            raise DepotError(f"{program.name} {option} lists nothing", where="upstream")
        return lines

    def command(
        self, cluster: Cluster, names: Sequence[str], *, processes: int, seconds: float, report: Path
    ) -> list[str]:
        """Return the command line that runs exactly these cases; those that stand no others beside them come last.

        Args:
            cluster: where they run.
            names: their whole names.
            processes: how many run at the same time.
            seconds: after so many it starts no other case, and interrupts those that run.
            report: the directory that gets ``junit_01.xml``.
        """
        context = [f"--context={cluster.context}"] if cluster.context else []
        return [
            str(self.directory / "ginkgo"),
            f"--procs={processes}",
            f"--timeout={seconds:.0f}s",
            "--no-color",
            *(f"--focus={exactly(name)}" for name in names),
            str(self.directory / "e2e.test"),
            "--",
            "--provider=skeleton",
            f"--kubeconfig={cluster.kubeconfig}",
            *context,
            f"--kubectl-path={cluster.kubectl}",
            f"--report-dir={report}",
        ]


def exactly(name: str) -> str:
    """Return the pattern of Go's that fits a case with this name and no other: the suite's name stands before it."""
    escaped = SPECIAL.sub(r"\\\1", name)
    return f" {escaped}$"
