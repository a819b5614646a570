"""Machines are waited for until they let somebody in, all at once; one that does not is named with ssh's own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL
from proving_ground.core.topology import load
from proving_ground.machines import ssh

TOPOLOGY = load(Path(__file__).parents[3] / "topology", "default")
BOOTING = """#!/bin/sh
for host; do [ "$host" = true ] || last=$host; done
echo "$last" >>"$ASKED"
if [ "$(grep -cx "$last" "$ASKED")" -le "$REFUSALS" ]; then
    echo "ssh: connect to host $last port 22: Connection refused" >&2
    exit 255
fi
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_on_path: Callable[[str, str], None]) -> Settings:
    """A checkout whose ssh finds machines that still boot: each refuses twice."""
    put_on_path("ssh", BOOTING)
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("REFUSALS", "2")
    return Settings(tmp_path, "run")


def test_every_machine_is_asked_until_it_lets_somebody_in(settings: Settings) -> None:
    ssh.await_logins(settings, TOPOLOGY, USUAL)
    asked = (settings.root / "asked").read_text(encoding="utf-8").split()
    assert sorted(asked) == sorted([node.name for node in TOPOLOGY.nodes] * 3)


def test_a_machine_that_lets_nobody_in_is_named_with_the_reason(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSALS", "1000")
    monkeypatch.setattr(ssh, "LOGIN_SECONDS", 0.0)
    one = replace(TOPOLOGY, nodes=TOPOLOGY.nodes[:2])
    with pytest.raises(MachineError) as caught:
        ssh.await_logins(settings, one, USUAL)
    for node in one.nodes:
        assert f"ssh: connect to host {node.name} port 22: Connection refused" in str(caught.value)
    assert "proving-ground destroy" in str(caught.value)
