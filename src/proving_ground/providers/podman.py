"""Provider podman: the containers of provider container, made and reached by Podman."""

from __future__ import annotations

from proving_ground.providers.container import Container
from proving_ground.providers.podman_engine import PODMAN


class Podman(Container):
    """Containers of the image that the project names, with Podman alone."""

    engine = PODMAN
