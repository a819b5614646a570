"""libvirt on another host is refused before anything is made: machines would come up here instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.lifecycle import preflight
from proving_ground.providers import libvirt_daemon


@pytest.mark.parametrize(
    "uri", ["qemu+ssh://root@big.example.test/system", "qemu+tcp://big.example.test/system", "qemu://big/system"]
)
def test_a_remote_uri_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", uri)
    with pytest.raises(UsageError) as caught:
        preflight.check(Settings(tmp_path, "run", provider="libvirt"), Progress(), tmp_path / "log")
    assert str(caught.value) == (
        f"LIBVIRT_DEFAULT_URI: {uri} is another host's: its machines could not mount the depot, and there is no route"
        " to them — run there, or unset LIBVIRT_DEFAULT_URI;"
        " machines that are there already are tested by --pg-inventory"
    )


@pytest.mark.parametrize("uri", ["", "qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/own", "["])
def test_a_uri_of_this_host_is_no_obstacle(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", uri)
    libvirt_daemon.check_local()
