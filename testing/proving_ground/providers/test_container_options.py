"""What a topology says of a container becomes arguments of Docker, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.topology import Topology, parse
from proving_ground.providers.container_options import arguments, check, volumes


def plan(**web: Any) -> Topology:
    return parse("own", {"machines": {"web": {"count": 2, **web}, "store": {}}})


def test_each_option_is_an_argument_of_the_machine_that_has_it(tmp_path: Path) -> None:
    said = {"tmpfs": ["/tmp:exec"], "ports": ["80"], "capabilities": ["NET_ADMIN"], "environment": {"A": "b c"}}
    first, _, store = plan(**said, cpus=2).nodes
    assert arguments(first, tmp_path, "1a2b") == (
        *("--tmpfs", "/tmp:exec", "--publish", "80", "--cap-add", "NET_ADMIN", "--env", "A=b c", "--cpus", "2"),
    )
    assert arguments(store, tmp_path, "1a2b") == ()


def test_a_path_is_relative_to_the_project_and_a_name_is_a_volume_of_this_checkout(tmp_path: Path) -> None:
    topology = plan(volumes=["./data:/data:ro", "sub/dir:/x", "/srv:/srv", "cache:/var/cache"])
    assert arguments(topology.nodes[0], tmp_path, "1a2b")[1::2] == (
        f"{tmp_path}/data:/data:ro",
        f"{tmp_path}/sub/dir:/x",
        "/srv:/srv",
        "proving-ground-1a2b-cache:/var/cache",
    )
    assert volumes(topology.nodes, "1a2b") == ("proving-ground-1a2b-cache",), "once, though two machines have it"


def test_what_a_volume_takes_from_the_project_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    check(plan(volumes=["./data:/data", "/not/there:/x", "cache:/var/cache"]), tmp_path)
    with pytest.raises(
        UsageError, match=r"volumes of web-01: there is no \./dtaa in the project — did you mean data\?"
    ):
        check(plan(volumes=["./dtaa:/data"]), tmp_path)
