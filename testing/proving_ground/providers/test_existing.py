"""Hosts of an inventory that do not answer are named with the cause, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.existing_inventory import read
from proving_ground.core.errors import MachineError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL
from proving_ground.providers import registry

HOSTS = """
here ansible_connection=local
[gone]
one ansible_host=127.0.0.1 ansible_port=1
two ansible_host=127.0.0.1 ansible_port=1
"""


def test_hosts_that_do_not_answer_are_named_with_the_cause(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(HOSTS, encoding="utf-8")
    settings = Settings(tmp_path, "run", provider="existing", inventory=inventory)
    with pytest.raises(MachineError) as caught:
        registry.of(settings).check_reachable(read(settings), USUAL, 10)
    text = str(caught.value)
    assert f"{inventory}: 2 of 3 hosts do not answer: one, two: " in text
    assert "port 1: Connection refused" in text
    assert text.count("refused") == 1, "the same cause once"
    assert "\n" not in text


def test_hosts_that_answer_are_no_error(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(HOSTS, encoding="utf-8")
    settings = Settings(tmp_path, "run", provider="existing", inventory=inventory, limit="!gone")
    registry.of(settings).check_reachable(read(settings), USUAL, 10)
