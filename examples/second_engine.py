"""Another Docker engine on this host, in a network of its own: to its machines there is no route."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.providers.container_image import PREPARED, image_of
from proving_ground.providers.docker_engine import DOCKER, DockerEngine


class SecondEngine(DockerEngine):
    """An engine that keeps everything in one directory.

    Args:
        directory: for data, socket and log; its path has to be short enough for a socket's.

    Attributes:
        pid: a process in its network.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(f"unix://{directory}/docker.sock")
        self.directory = directory
        self._log = directory / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None
        # The network stays while the engine is started anew.
        alone = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"]
        self._network = subprocess.Popen(alone, stdout=subprocess.PIPE)
        assert self._network.stdout is not None
        assert self._network.stdout.readline() == b"up\n"
        self.pid = self._network.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        here = self.directory
        here.mkdir(parents=True, exist_ok=True)
        places = [f"--data-root={here}/data", f"--exec-root={here}/exec", f"--pidfile={here}/pid"]
        command = self._inside("dockerd", *places, f"--host={self.address}")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until("the second engine answers", self._check_answers, timeout=60, interval=0.2)

    def _check_answers(self) -> None:
        assert self._process is not None, "it has been started"
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")[-2000:]
        if self.refusal() is not None:
            raise NotReady("no answer")

    def load(self, image: str) -> None:
        """Copy an image from the usual engine, and what the harness puts on top: this one has no route to packages."""
        image_of(image, Settings(self.directory, "load"), DOCKER, Progress(), self._log)
        images = [image, *DOCKER.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", PREPARED).split()]
        copy = f"docker save {' '.join(images)} | docker --host {self.address} load"
        subprocess.run(["sh", "-c", copy], check=True, capture_output=True, timeout=300)

    def enter(self, *command: str) -> None:
        """Run a command in the engine's network."""
        subprocess.run(self._inside(*command), check=True, capture_output=True, timeout=30)

    def _inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """End it and its network."""
        self.stop()
        self._network.kill()
        self._network.wait(30)
        assert self._network.stdout is not None
        self._network.stdout.close()
