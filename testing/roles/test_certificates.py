"""The ca role's module: which certificates are wanted, when they are renewed, how files are written."""

from __future__ import annotations

import base64
import datetime
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

ROLE = Path(__file__).parents[2] / "roles" / "configure" / "ca"
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
AUTHORITIES = [{"name": "ca", "common_name": "authority"}, {"name": "other-ca", "common_name": "other authority"}]
WORKER = {
    "name": "kubelet-{host}",
    "each_of": ["workers", "masters"],
    "issuer": "ca",
    "common_name": "system:node:{host}",
    "organization": "system:nodes",
    "purposes": ["server"],
    "names": ["{host}"],
    "addresses": ["{address}"],
}
ADMIN = {"name": "admin", "issuer": "ca", "common_name": "kubernetes-admin", "purposes": ["client"]}
GROUPS = {"workers": {"w1": "10.0.0.121", "w2": "10.0.0.122"}, "masters": {"m1": "10.0.0.111", "w1": "10.0.0.121"}}
SECRETS = ("ca-key.pem", "admin-key.pem", "service-account-key.pem", "encryption-key")


def load(path: str, name: str) -> ModuleType:
    """Load a file of the role under the name by which Ansible offers it."""
    spec = importlib.util.spec_from_file_location(name, ROLE / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


planner = load("module_utils/certificate_plan.py", "ansible.module_utils.certificate_plan")
storage = load("module_utils/certificate_store.py", "ansible.module_utils.certificate_store")
certificates = load("library/certificates.py", "certificates")


def wanted(*declarations: dict[str, Any], **changes: Any) -> list[Any]:
    """Plan with the authorities above and usual lifetimes."""
    lifetimes = {"authority_days": 3650, "certificate_days": 365, "renew_before_days": 30} | changes
    planned: list[Any] = planner.plan(AUTHORITIES, declarations, GROUPS, **lifetimes)
    return planned


class Run:
    """A directory of certificates and a way to make what is missing in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def make(self, *declarations: dict[str, Any], now: datetime.datetime = NOW, dry_run: bool = False) -> Any:
        """Name → reason of what was made."""
        store = storage.Store(self.directory, dry_run=dry_run)
        return certificates.make(store, wanted(*(declarations or (ADMIN, WORKER))), now, 30 * DAY)

    def certificate(self, name: str) -> x509.Certificate:
        """A certificate that was made."""
        return x509.load_pem_x509_certificate((self.directory / f"{name}.pem").read_bytes())

    def contents(self) -> dict[str, bytes]:
        """All files."""
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A directory that does not exist yet."""
    return Run(tmp_path / "state" / "pki")


@pytest.fixture
def made(run: Run) -> Run:
    """A directory in which everything has been made."""
    run.make()
    return run


def test_plan_repeats_declaration_for_every_host_once() -> None:
    names = [item.name for item in wanted(ADMIN, WORKER)]
    assert names == ["ca", "other-ca", "admin", "kubelet-m1", "kubelet-w1", "kubelet-w2"]


def test_plan_fills_in_host_and_address() -> None:
    profile = wanted(WORKER)[-1].profile
    assert profile.common_name == "system:node:w2"
    assert (profile.names, profile.addresses) == ({"w2"}, {"10.0.0.122"})


@pytest.mark.parametrize(
    ("declarations", "changes", "message"),
    [
        ([ADMIN | {"issuer": "nobody"}], {}, "admin: no authority is named 'nobody'"),
        ([ADMIN | {"purposes": ["signing"]}], {}, "admin: purposes are"),
        ([ADMIN | {"purposes": []}], {}, "admin: purposes are"),
        ([ADMIN | {"addresses": ["10.0.0"]}], {}, "admin: '10.0.0' does not appear"),
        ([WORKER | {"each_of": ["nodes"]}], {}, "kubelet-{host}: unknown group nodes"),
        ([ADMIN, ADMIN], {}, "declared more than once: admin"),
        ([ADMIN], {"certificate_days": 30}, "would never end"),
    ],
)
def test_plan_refuses_what_cannot_be(declarations: list[dict[str, Any]], changes: dict[str, int], message: str) -> None:
    with pytest.raises(planner.PlanError) as caught:
        wanted(*declarations, **changes)
    assert message in str(caught.value)


def test_first_run_makes_everything_with_reasons(run: Run) -> None:
    reasons = run.make()
    assert reasons.pop("service-account") == reasons.pop("encryption-key") == "no key"
    assert set(reasons) == {"ca", "other-ca", "admin", "kubelet-m1", "kubelet-w1", "kubelet-w2"}
    assert set(reasons.values()) == {"no certificate"}


def test_second_run_changes_nothing(made: Run) -> None:
    before = made.contents()
    assert made.make() == {}
    assert made.contents() == before


def test_keys_are_closed_to_others(made: Run) -> None:
    assert made.directory.stat().st_mode & 0o777 == 0o700
    assert {name: (made.directory / name).stat().st_mode & 0o777 for name in SECRETS} == dict.fromkeys(SECRETS, 0o600)


def test_opened_key_is_closed_again_and_kept(made: Run) -> None:
    before = made.contents()
    (made.directory / "admin-key.pem").chmod(0o644)
    assert made.make() == {"admin-key.pem": "others could read it"}
    assert (made.directory / "admin-key.pem").stat().st_mode & 0o777 == 0o600
    assert made.contents() == before


def test_certificate_is_signed_by_its_authority_only(made: Run) -> None:
    admin = made.certificate("admin")
    admin.verify_directly_issued_by(made.certificate("ca"))
    with pytest.raises((ValueError, InvalidSignature)):
        admin.verify_directly_issued_by(made.certificate("other-ca"))


def test_certificate_serves_its_one_purpose(made: Run) -> None:
    extensions = made.certificate("kubelet-w1").extensions
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign


def test_authority_signs_certificates_but_no_other_authority(made: Run) -> None:
    extensions = made.certificate("ca").extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_certificate_is_valid_a_little_before_it_was_made(made: Run) -> None:
    begins = made.certificate("admin").not_valid_before_utc
    assert datetime.timedelta(minutes=1) < NOW - begins < datetime.timedelta(hours=1)


def test_certificate_is_renewed_before_it_ends_and_not_earlier(made: Run) -> None:
    assert made.make(now=NOW + 334 * DAY) == {}
    reasons = made.make(now=NOW + 335 * DAY)
    assert reasons == dict.fromkeys(["admin", "kubelet-m1", "kubelet-w1", "kubelet-w2"], "ends 2031-01-01")


def test_certificate_never_outlives_its_authority(made: Run) -> None:
    made.make(now=NOW + 3500 * DAY)
    assert made.certificate("admin").not_valid_after_utc == made.certificate("ca").not_valid_after_utc


def test_new_authority_signs_everything_below_it_again(made: Run) -> None:
    (made.directory / "ca.pem").unlink()
    reasons = made.make()
    assert reasons.pop("ca") == "no certificate"
    assert reasons == dict.fromkeys(["admin", "kubelet-m1", "kubelet-w1", "kubelet-w2"], "its issuer has changed")
    made.certificate("admin").verify_directly_issued_by(made.certificate("ca"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"common_name": "somebody"}, "common name not as wanted"),
        ({"organization": "system:masters"}, "organization not as wanted"),
        ({"purposes": ["client", "server"]}, "purposes not as wanted"),
        ({"names": ["localhost"]}, "names not as wanted"),
        ({"addresses": ["127.0.0.1"]}, "addresses not as wanted"),
        ({"issuer": "other-ca"}, "its issuer has changed"),
    ],
)
def test_changed_declaration_renews_that_certificate_alone(made: Run, change: dict[str, Any], reason: str) -> None:
    declarations = (ADMIN | change, WORKER)
    assert made.make(*declarations) == {"admin": reason}
    assert made.make(*declarations) == {}


@pytest.mark.parametrize(
    ("file_name", "content", "reasons"),
    [
        ("admin.pem", None, {"admin": "no certificate"}),
        ("admin.pem", b"-----BEGIN CERTIFICATE-----\nhalf", {"admin": "no certificate"}),
        ("admin-key.pem", None, {"admin": "no key"}),
        ("admin-key.pem", b"", {"admin": "no key"}),
        ("service-account-key.pem", None, {"service-account": "no key"}),
        ("service-account.pub", b"other", {"service-account": "the public key is not the key's"}),
        ("encryption-key", None, {"encryption-key": "no key"}),
        ("encryption-key", base64.b64encode(b"short"), {"encryption-key": "not 32 bytes in base64"}),
    ],
)
def test_damage_is_mended_and_nothing_else_touched(
    made: Run, file_name: str, content: bytes | None, reasons: dict[str, str]
) -> None:
    path = made.directory / file_name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    assert made.make() == reasons
    assert made.make() == {}


def test_exchanged_key_is_noticed(made: Run) -> None:
    (made.directory / "admin-key.pem").write_bytes((made.directory / "ca-key.pem").read_bytes())
    assert made.make() == {"admin": "the key is another one's"}


def test_leftover_of_a_killed_run_does_no_harm(made: Run) -> None:
    leftover = made.directory / ".admin-key.pem.unfinished"
    leftover.write_text("half a key")
    (made.directory / "admin-key.pem").unlink()
    made.make()
    assert not leftover.exists()
    assert made.make() == {}


def test_dry_run_says_what_it_would_do_and_writes_nothing(run: Run) -> None:
    reasons = run.make(dry_run=True)
    assert not run.directory.exists()
    assert run.make() == reasons


def test_dry_run_leaves_a_changed_declaration_alone(made: Run) -> None:
    before = made.contents()
    assert made.make(ADMIN | {"common_name": "somebody"}, WORKER, dry_run=True)
    assert made.contents() == before


def test_encryption_key_is_32_random_bytes(made: Run, tmp_path: Path) -> None:
    other = Run(tmp_path / "other")
    other.make()
    keys = [base64.b64decode(each.contents()["encryption-key"]) for each in (made, other)]
    assert [len(key) for key in keys] == [32, 32]
    assert keys[0] != keys[1]
