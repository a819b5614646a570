"""The ledger survives its writer; one that cannot be read is an error, and never "no machines"."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.machines.ledger import CorruptLedgerError, Ledger, Record


def test_what_is_written_is_read_by_another_process(tmp_path: Path) -> None:
    Ledger(tmp_path).write(Record("run-1", "default", "docker", "10.7.0", network="net", phase="created"))
    assert Ledger(tmp_path).read() == Record("run-1", "default", "docker", "10.7.0", network="net", phase="created")


def test_nothing_written_reads_as_nothing(tmp_path: Path) -> None:
    assert Ledger(tmp_path).read() is None


def test_an_update_changes_one_field(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(Record("run-1", "default", "docker"))
    assert ledger.update(phase="created") == Record("run-1", "default", "docker", phase="created")
    assert ledger.read() == Record("run-1", "default", "docker", phase="created")


def test_an_update_of_nothing_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        Ledger(tmp_path).update(phase="created")


def test_a_cleared_ledger_reads_as_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(Record("run-1", "default", "docker"))
    ledger.clear()
    assert ledger.read() is None


def test_a_record_of_a_later_version_can_still_be_cleaned_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.path.write_text('{"run_id": "1", "topology": "single", "provider": "docker", "new": 1}', encoding="utf-8")
    assert ledger.read() == Record("1", "single", "docker")


GOOD = '"run_id": "1", "topology": "single", "provider": "docker"'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no JSON: Expecting value"),
        ('{"run_id": "1", "topo', "no JSON: Unterminated string"),
        ("\xff", "no JSON: 'utf-8' codec"),
        ("[]", "no JSON object"),
        ('{"run_id": "1", "provider": "docker"}', "topology is missing"),
        (f'{{{GOOD}, "phase": "half"}}', "phase is 'half'"),
        (f'{{{GOOD}, "awaited": "much"}}', "awaited is 'much'"),
        ('{"run_id": "1", "topology": "single", "provider": "moon"}', "provider is 'moon'"),
        ('{"run_id": "1", "topology": ["single"], "provider": "docker"}', r"topology is \['single'\]"),
    ],
)
def test_a_ledger_that_cannot_be_read_names_its_file_and_the_way_out(tmp_path: Path, text: str, what: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CorruptLedgerError, match=what) as caught:
        ledger.read()
    assert str(caught.value).startswith(f"{ledger.path}: the ledger of machines cannot be read, ")
    assert "run `proving-ground destroy`" in str(caught.value)
    assert caught.value.exit_code == 14
    assert ledger.legible() is None
    assert ledger.path.read_bytes() == text.encode("latin-1"), "nobody has been asked whether it may go"
