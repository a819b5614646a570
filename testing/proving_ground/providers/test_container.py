"""Containers of several images: each machine is made of its own, and an image is looked at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.depot import View
from proving_ground.providers import container, container_start
from proving_ground.providers.container import Container
from proving_ground.providers.container_image import Image
from proving_ground.providers.container_start import Group
from proving_ground.providers.docker_engine import DockerEngine
from proving_ground.providers.engine import LABEL

SIZES = {"debian:12": 100, "debian:13": 150}


class Engine:
    """An engine with both images, on which every container starts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked: list[str] = []
        self.started: dict[str, str] = {}
        self.privileged: dict[str, bool] = {}
        self.volumes: list[tuple[str, ...]] = []
        self.arguments: dict[str, tuple[str, ...]] = {}
        monkeypatch.setattr(container, "image_of", self.image_of)
        monkeypatch.setattr(container, "identifier", lambda _, name: f"sha256:{name}")
        monkeypatch.setattr(DockerEngine, "run", staticmethod(self.docker))
        monkeypatch.setattr(DockerEngine, "ensure_network", lambda *_: None)
        monkeypatch.setattr(container_start, "start", self.start)

    def image_of(self, name: str, *_: object) -> Image:
        self.looked.append(name)
        return Image(name, f"sha256:{name}")

    def start(self, groups: list[Group], *_: object, **__: object) -> None:
        for group in groups:
            for each in group.machines:
                assert each.image == group.image.name
                self.privileged[each.name] = group.privileged
                self.started[each.name] = each.image
                self.arguments[each.name] = each.arguments

    def docker(self, *words: str, **_: object) -> str:
        if words[:2] == ("volume", "create"):
            self.volumes.append(words[2:])
            return ""
        assert words[0] in {"commit", "image"}, words
        names = words[4:] if words[0] == "image" else ()
        return "\n".join(str(SIZES.get(name, 200)) for name in names)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def of(root: Path, **project: object) -> Container:
    return Container(Settings(root, "run", provider="container", project=Project(**project)))  # type: ignore[arg-type]


def create(provider: Container) -> None:
    root = provider.settings.root
    provider.create(plan_of(provider.settings), View(Path(), ""), Progress(), root / "log", None)


TWO: tuple[tuple[str, object], ...] = (("web", {"count": 2}), ("db", {"image": "debian:13"}))


def test_a_machine_is_made_of_its_own_image_or_of_the_projects(tmp_path: Path, engine: Engine) -> None:
    provider = of(tmp_path, image="debian:12", machines=TWO)
    create(provider)
    assert engine.started == {"web-01": "debian:12", "web-02": "debian:12", "db-01": "debian:13"}
    assert sorted(engine.looked) == ["debian:12", "debian:13"], "each once"


def test_an_image_is_looked_at_once_in_a_run(tmp_path: Path, engine: Engine) -> None:
    of(tmp_path, image="debian:12", machines=TWO).fetch(Progress(), tmp_path / "log")
    create(of(tmp_path, image="debian:12", machines=TWO))
    assert engine.looked == ["debian:12", "debian:13"]
    later = Settings(tmp_path, "another", provider="container", project=Project(image="debian:12"))
    Container(later).fetch(Progress(), tmp_path / "log")
    assert engine.looked[2:] == ["debian:12"], "its content may be another one by the next run"


def test_all_images_are_there_before_a_machine_is(tmp_path: Path, engine: Engine) -> None:
    of(tmp_path, image="debian:12", machines=TWO).fetch(Progress(), tmp_path / "log")
    assert engine.looked == ["debian:12", "debian:13"]


@pytest.mark.usefixtures("engine")
def test_what_machines_are_made_of_names_every_image(tmp_path: Path) -> None:
    content = of(tmp_path, image="debian:12", machines=TWO).content
    assert content == "debian:12 sha256:debian:12\ndebian:13 sha256:debian:13"


@pytest.mark.usefixtures("engine")
def test_an_archive_that_is_written_anew_is_another_image(tmp_path: Path) -> None:
    provider, found = of(tmp_path, image="rootfs.tar"), []
    for text in ("one", "another"):
        (tmp_path / "rootfs.tar").write_text(text, encoding="utf-8")
        found.append(provider.content)
    assert found[0] != found[1]
    assert provider.content == found[1]


@pytest.mark.usefixtures("engine")
def test_a_checkpoint_is_as_large_as_what_it_adds_to_each_machines_image(tmp_path: Path) -> None:
    provider = of(tmp_path, image="debian:12", machines=TWO)
    size = provider.save("key", plan_of(provider.settings), View(Path(), ""), Progress(), tmp_path / "log")
    assert size == 2 * (200 - 100) + (200 - 150)


@pytest.mark.usefixtures("engine")
def test_a_machine_without_an_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="web-01 has no image") as caught:
        of(tmp_path, machines=TWO).fetch(Progress(), tmp_path / "log")
    assert "[tool.proving-ground]" in caught.value.hint


def test_a_machine_has_its_own_options_and_rights(tmp_path: Path, engine: Engine) -> None:
    machines: tuple[tuple[str, object], ...] = (
        ("web", {"privileged": True, "volumes": ["cache:/var/cache"]}),
        ("db", {}),
    )
    create(of(tmp_path, image="debian:12", machines=machines))
    assert engine.privileged == {"web-01": True, "db-01": False}
    ((*labels, name),) = engine.volumes
    assert any(label.startswith(f"--label={LABEL}=") for label in labels), "so it is removed with them"
    assert f"{name}:/var/cache" in engine.arguments["web-01"]
    assert f"{name}:/var/cache" not in engine.arguments["db-01"]


def test_a_machine_may_have_fewer_rights_than_the_project_says(tmp_path: Path, engine: Engine) -> None:
    machines: tuple[tuple[str, object], ...] = (("web", {}), ("db", {"privileged": False}))
    create(of(tmp_path, image="debian:12", privileged=True, machines=machines))
    assert engine.privileged == {"web-01": True, "db-01": False}
