"""How machines are reached: containers by the engine's exec, all others by ssh."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.settings import EXISTING, PROVIDERS, Settings, named
from proving_ground.machines import access


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != EXISTING])
def test_a_shell_is_opened_in_the_way_of_the_provider(provider: str) -> None:
    settings = Settings(Path("/project"), "run", provider=provider)
    login, script = access.login(settings, "web-01"), access.root_shell(settings, "web-01", 5)
    if engine := settings.engine:
        container = named(settings.checkout_id, "web-01")
        assert login == [engine, "exec", "-it", container, "/bin/sh"]
        assert script == [engine, "exec", "-i", container, "timeout", "5", "sh", "-s"]
    else:
        assert login == ["ssh", "-F", "/project/.proving-ground/ssh.config", "web-01"]
        assert script[:3] == login[:3]
        assert script[-2:] == ["web-01", "sudo timeout 5 sh -s"]


def test_hosts_of_an_inventory_are_reached_as_it_says() -> None:
    settings = Settings(Path("/project"), "run", provider=EXISTING, inventory=Path("/project/hosts"))
    assert access.login(settings, "web-01") == ["ansible-console", "-i", "/project/hosts", "web-01"]
