"""Filling the depot: order, failures, interruption, and what is said about them; tars and images without chance."""

import hashlib
import io
import json
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.errors import DepotError, PreflightError
from proving_ground.depot import build, go, oci, tar
from proving_ground.depot import recipe as recipes
from proving_ground.depot.job import Job, Processes, Stopped
from proving_ground.depot.plan import Plan
from proving_ground.depot.recipe import Component
from proving_ground.depot.store import Store

RECIPE = """
first: {build: go, programs: {file: .}}
second: {build: go, programs: {file: .}}
image: {build: image, image: image, layers: [{files: {/first: first/file}}]}
"""


def make_plan() -> Plan:
    recipe = recipes.parse(recipes.Source(RECIPE))
    return Plan(recipe, recipes.keys(recipe, {}, "amd64"), {})


def write_file(job: Job) -> dict[str, Any]:
    (job.out / "file").write_text(job.component.name)
    return {}


def make_job(tmp_path: Path, log: str = "log") -> Job:
    (tmp_path / "out").mkdir(exist_ok=True)
    return Job(Component("tool", "go", {}), tmp_path, tmp_path / "out", tmp_path / log, {}, Processes())


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


def test_depot_fill_builds_inputs_first_and_reports_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(build.BUILDERS, "go", write_file)
    plan = make_plan()
    said: list[str] = []
    build.fill(plan, Store(tmp_path), tmp_path, said.append)
    assert plan.missing == []
    assert set(plan.seconds) == {"first", "second", "image"}
    assert said.index("image: building image") > [line.startswith("built first") for line in said].index(True)


def test_depot_failure_stops_what_runs_beside_it_and_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)

    def builder(job: Job) -> dict[str, Any]:
        both.wait(5)
        if job.component.name == "first":
            job.run([sys.executable, "-c", "import sys; sys.exit('the compiler is unhappy')"])
        job.run(["sleep", "60"])
        return {}

    monkeypatch.setitem(build.BUILDERS, "go", builder)
    plan = make_plan()
    with pytest.raises(DepotError, match=r"first: .*the compiler is unhappy \(log: .*first.log\)"):
        build.fill(plan, Store(tmp_path), tmp_path, lambda _: None)
    assert plan.entries == {}
    assert list((tmp_path / "work").iterdir()) == []


def test_depot_stopped_processes_start_nothing_more(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.processes.stop()
    with pytest.raises(Stopped):
        job.run(["true"])


@pytest.mark.parametrize(
    "output",
    [
        "go: example.com/x@v1: Get: dial tcp: lookup proxy on 127.0.0.1:53: server misbehaving",
        "E: Failed to fetch http://mirror/InRelease  Temporary failure resolving 'mirror'",
        "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection'",
        "ERROR: Could not find a version that satisfies the requirement jinja2==3.1.6 (from versions: none)",
    ],
)
def test_depot_fetch_failure_is_told_as_a_missing_network(tmp_path: Path, output: str) -> None:
    error = make_job(tmp_path).failure(output, "go")
    assert "could not be fetched" in str(error)
    assert "connect to the network" in error.hint


def test_depot_compiler_error_is_not_told_as_a_missing_network(tmp_path: Path) -> None:
    error = make_job(tmp_path).failure("error: build failed\ngo: downloading example.com/errors v1", "/usr/bin/go")
    assert str(error).startswith("tool: go failed: error: build failed")


def test_depot_too_little_disk_is_found_before_anything_is_built(tmp_path: Path) -> None:
    huge = Component("tool", "image", {"disk": 10**9})
    with pytest.raises(PreflightError, match=r"filling the depot may take .* GiB, .* GiB are free"):
        build.preflight(Store(tmp_path), [huge], tmp_path)


def test_depot_missing_mmdebstrap_is_found_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightError, match="mmdebstrap is not installed"):
        build.preflight(Store(tmp_path), [Component("node", "debian", {})], tmp_path)


def test_depot_tar_depends_on_content_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "file").write_text("content")
        (tmp_path / name / "link").symlink_to("sub/file")
    (tmp_path / "b" / "sub").chmod(0o700)
    for name in ("a", "b"):
        tar.of_directory(tmp_path / name, tmp_path / f"{name}.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_depot_tar_normalise_takes_the_part_below_a_directory(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "raw.tar", "w") as archive:
        for name, kind, link in (
            ("tree", tarfile.DIRTYPE, ""),
            ("tree/b", tarfile.REGTYPE, ""),
            ("tree/a", tarfile.LNKTYPE, "tree/b"),
            ("tree/c", tarfile.SYMTYPE, "b"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mtime, info.uid = kind, link, 99, 5
            info.size = 3 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"abc"))
    tar.normalise(tmp_path / "raw.tar", tmp_path / "clean.tar", "/tree")
    with tarfile.open(tmp_path / "clean.tar") as archive:
        assert archive.getnames() == ["a", "b", "c"]
        assert read(archive, "a") == b"abc"
        assert {(member.mtime, member.uid) for member in archive} == {(0, 0)}


def test_depot_image_is_an_oci_layout_whose_digests_are_right(tmp_path: Path) -> None:
    (tmp_path / "probe").write_text("binary")
    tar.of_files({"/bin/probe": tmp_path / "probe"}, {"/bin/alias": "probe"}, tmp_path / "layer.tar")
    made = [
        oci.archive("probe", [tmp_path / "layer.tar"], {"Entrypoint": ["/bin/probe"]}, tmp_path / name)
        for name in ("one.tar", "two.tar")
    ]
    assert made[0] == made[1]
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:

        def blob(descriptor: dict[str, Any]) -> bytes:
            content = read(archive, f"blobs/{descriptor['digest'].replace(':', '/')}")
            assert hashlib.sha256(content).hexdigest() == descriptor["digest"].split(":")[1]
            assert len(content) == descriptor["size"]
            return content

        top = json.loads(read(archive, "index.json"))["manifests"][0]
        manifest = json.loads(blob(top))
        config = json.loads(blob(manifest["config"]))
        layers = [blob(layer) for layer in manifest["layers"]]
    assert top["annotations"]["io.containerd.image.name"] == made[0][0]
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    with tarfile.open(fileobj=io.BytesIO(layers[0])) as layer:
        assert layer.getnames() == ["bin", "bin/probe", "bin/alias"]


def test_depot_go_older_than_a_module_asks_for_is_found_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "go"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nprintf 'go1.19.8\\n/c\\n/m\\n'\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "go.mod").write_text("module example\n\ngo 1.26.6\n")
    with pytest.raises(PreflightError, match=r"Go 1.19.8 is too old, .* needs 1.26.6"):
        go.preflight([tmp_path])
    fake.write_text("#!/bin/sh\nprintf 'go1.26.10\\n/c\\n/m\\n'\n")
    assert go.preflight([tmp_path]) == [Path("/c"), Path("/m")]


def test_depot_missing_go_is_found_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(PreflightError, match="go is not installed"):
        build.preflight(Store(tmp_path), [Component("tool", "go", {})], tmp_path)
