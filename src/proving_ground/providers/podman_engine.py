"""The engine Podman: a program that needs no service, for root as for other users."""

from __future__ import annotations

import shutil

from proving_ground.core.errors import PreflightError
from proving_ground.core.progress import Progress
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.commands import last_words
from proving_ground.process.programs import not_installed
from proving_ground.providers.engine import Engine


class PodmanEngine(Engine):
    """Podman on this host, or where its connection leads (``CONTAINER_HOST``, ``podman system connection``)."""

    program = "podman"
    title = "Podman"
    probe = ("info", "--format", "{{.Version.Version}}")
    version = ("info", "--format", "{{.Version.Version}} {{.Host.Kernel}} {{.Host.OCIRuntime.Name}}")

    def ensure_running(self, progress: Progress, timeouts: Timeouts = USUAL) -> None:  # noqa: ARG002
        """Check that Podman is installed and works; there is nothing to start."""
        if shutil.which(self.program) is None:
            raise not_installed(self.program)
        if (refusal := self.refusal()) is not None:
            text = f"Podman does not work here: {last_words(refusal)}"
            raise PreflightError(text, where="podman", hint="see `podman info`")


PODMAN = PodmanEngine()
"""The engine itself."""
