"""The image of containers: it is there, has what machines need, or an error says what it lacks and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError, MachineError, PreflightError
from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.providers.container_image import BUILT, PREPARED, Image, image_of
from proving_ground.providers.docker_engine import DockerEngine

WHOLE = "systemd=/lib/systemd/systemd\npackages=apt-get\npython=/usr/bin/python3\n"


class Engine(DockerEngine):
    """An engine with some images: name → what a shell in it finds, or None where it has no shell."""

    def __init__(self, **images: str | None) -> None:
        self.images = dict(images)
        self.looks = 0
        self.built: list[str] = []
        self.files: list[list[str]] = []

    def run(self, *words: str, **_: object) -> str:
        match words:
            case ("image", "inspect", *_, name):
                if name not in self.images:
                    raise MachineError("No such image")
                return f"sha256:{name}"
            case ("image", "ls", *_):
                return "\n".join(self.images)
            case ("pull", *_):
                raise MachineError("manifest unknown")
            case ("import", archive, name):
                self.images[name] = Path(archive).read_text(encoding="utf-8")
            case ("run", *rest):
                self.looks += 1
                found = self.images[rest[rest.index("-c") - 1]]
                if found is None:
                    raise MachineError('exec: "/bin/sh": no such file or directory')
                return found
            case ("build", "--quiet", "--force-rm", "--tag", name, "--file", file, context):
                self.files.append(sorted(path.name for path in Path(context).iterdir()))
                if "RUN false" in (text := Path(file).read_text(encoding="utf-8")):
                    raise MachineError("returned a non-zero code: 1")
                self.images[name] = f"{WHOLE}packages={hash(text)}\n"
            case ("build", "--quiet", "--force-rm", "--tag", name, context):
                self.built.append((Path(context) / "Dockerfile").read_text(encoding="utf-8"))
                self.images[name] = WHOLE
            case _:
                raise AssertionError(f"nobody expected `docker {' '.join(words)}`")
        return ""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def find(root: Path, engine: Engine, image: str, init: str = "") -> Image:
    return image_of(image, Settings(root, "run", project=Project(init=init)), engine, Progress(), root / "log")


def refusal(root: Path, engine: Engine, image: str) -> str:
    with pytest.raises(HarnessError) as caught:
        find(root, engine, image)
    assert isinstance(caught.value, PreflightError)
    return str(caught.value)


def test_an_image_that_has_all_is_taken_as_it_is(root: Path) -> None:
    engine = Engine(mine=WHOLE)
    assert find(root, engine, "mine").name == "mine"
    assert engine.built == []


def test_an_image_is_looked_at_once(root: Path) -> None:
    engine = Engine(mine=WHOLE)
    assert find(root, engine, "mine") == find(root, engine, "mine")
    assert engine.looks == 1


def test_a_plain_image_gets_systemd_and_python_on_top_once(root: Path) -> None:
    engine = Engine(plain="packages=apt-get\n")
    found = find(root, engine, "plain")
    assert found.name.startswith(f"{PREPARED}:")
    assert (found.systemd, found.python) == ("/lib/systemd/systemd", "/usr/bin/python3")
    assert engine.built[0].startswith("FROM plain\n")
    assert " systemd-sysv " in engine.built[0]
    assert find(root, engine, "plain") == found
    assert len(engine.built) == 1


def test_a_project_without_init_needs_no_systemd(root: Path) -> None:
    engine = Engine(plain="python=/usr/bin/python3\n")
    assert find(root, engine, "plain", init="none").name == "plain"


def test_an_archive_is_as_good_as_an_image(root: Path) -> None:
    (root / "rootfs.tar").write_text(WHOLE, encoding="utf-8")
    engine = Engine()
    first = find(root, engine, "rootfs.tar")
    (root / "rootfs.tar").write_text(f"{WHOLE}more=1\n", encoding="utf-8")
    assert find(root, engine, "rootfs.tar").name != first.name, "another content is another image"


def test_a_dockerfile_is_built_once_for_each_content(root: Path) -> None:
    (root / "large").touch()
    (root / "Dockerfile").write_text("FROM mine\nCOPY --from=other /a /a\n", encoding="utf-8")
    engine = Engine()
    first = find(root, engine, "Dockerfile")
    assert first.name.startswith(f"{BUILT}:")
    assert find(root, engine, "Dockerfile") == first
    assert engine.files == [[]], "nothing is sent to the engine that it does not copy"
    (root / "Dockerfile").write_text("FROM mine\nRUN true\n", encoding="utf-8")
    assert find(root, engine, "Dockerfile").name != first.name


def test_the_engine_sees_whether_files_have_changed_that_a_dockerfile_copies(root: Path) -> None:
    (root / "images").mkdir()
    (root / "images" / "Dockerfile.web").write_text("FROM mine\nCOPY page /srv/\n", encoding="utf-8")
    (root / "images" / "page").touch()
    engine = Engine()
    assert find(root, engine, "images/Dockerfile.web") == find(root, engine, "images/Dockerfile.web")
    assert engine.files == [["Dockerfile.web", "page"]] * 2


def test_a_dockerfile_that_cannot_be_built_is_told(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM mine\nRUN false\n", encoding="utf-8")
    assert "image: Dockerfile cannot be built: returned a non-zero code: 1" in refusal(root, Engine(), "Dockerfile")


def test_an_image_that_is_not_there_is_told_with_the_nearest(root: Path) -> None:
    text = refusal(root, Engine(**{"debian:12": WHOLE}), "debain:12")
    assert "there is no image 'debain:12': manifest unknown" in text
    assert "debian:12" in text.partition(" — ")[2]


def test_an_image_without_a_shell_is_told(root: Path) -> None:
    assert "has no shell that runs" in refusal(root, Engine(bare=None), "bare")


@pytest.mark.parametrize(
    ("found", "lacks", "hint"),
    [
        ("packages=apk\npython=/usr/bin/python3\n", "lacks systemd", 'set `init = "none"`'),
        ("packages=apk\nsystemd=/lib/systemd/systemd\n", "lacks Python", "choose another image"),
        ("", "lacks systemd and Python", "choose another image"),
    ],
)
def test_what_no_package_manager_can_add_is_told(root: Path, found: str, lacks: str, hint: str) -> None:
    text = refusal(root, Engine(strange=found), "strange")
    assert lacks in text
    assert hint in text
