"""KWOK's controller as a process of the run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.kubernetes.simulated_nodes.controller import Controller
from proving_ground.kubernetes.simulated_nodes.manifests import configuration


def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path / "state", tmp_path / "artifacts" / "kwok.log")


def test_it_gets_its_own_credentials_and_settings_and_ends(kwok: Path, tmp_path: Path) -> None:
    one = controller(tmp_path)
    one.start(kwok, {"kind": "Config"}, configuration("me"))
    try:
        assert one.is_alive
        one.require_alive()
        credentials = tmp_path / "state" / "kubeconfig"
        assert credentials.stat().st_mode & 0o777 == 0o600
        documents = list(yaml.safe_load_all((tmp_path / "state" / "kwok.yml").read_text(encoding="utf-8")))
        assert [each["kind"] for each in documents] == ["KwokConfiguration", *["Stage"] * 4]
    finally:
        one.stop()
    assert not one.is_alive


def test_another_process_ends_one_that_was_left(kwok: Path, tmp_path: Path) -> None:
    left = controller(tmp_path)
    left.start(kwok, {}, {})
    later = controller(tmp_path)
    assert later.is_alive
    later.stop()
    assert not later.is_alive
    with pytest.raises(MachineError, match="has ended"):
        left.require_alive()
    left.stop()


def test_one_that_ends_at_once_is_an_error_with_its_log(kwok: Path, tmp_path: Path) -> None:
    kwok.write_text("#!/bin/sh\necho no such flag\nexit 3\n", encoding="utf-8")
    one = controller(tmp_path)
    one.start(kwok, {}, {})

    def ended() -> None:
        if one.is_alive:
            raise NotReady("it runs")

    wait_until("it has ended", ended, timeout=10, interval=0.02)
    with pytest.raises(MachineError, match="has ended with 3") as error:
        one.require_alive()
    assert error.value.log == one.log
    assert one.log.read_text(encoding="utf-8") == "no such flag\n"
    one.stop()


def test_stopping_nothing_is_no_error(tmp_path: Path) -> None:
    controller(tmp_path).stop()
