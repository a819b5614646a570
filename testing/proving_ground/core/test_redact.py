"""Evidence is kept and shown: no secret of a known form may be in it, and the rest has to stay readable."""

from __future__ import annotations

import time

import pytest

from proving_ground.core.redact import MASK, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZWZhdWx0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "kept", "secret"),
    [
        ("a\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----\nb", "a\n", "MHcCAQ"),
        ("cut off: -----BEGIN PRIVATE KEY-----\nMHcCAQ", "cut off: ", "MHcCAQ"),
        (f"the log says {JWT} was refused", "was refused", JWT),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer ", "abcdef0123456789"),
        ("  client-key-data: LS0tLS1CRUdJTg==", "client-key-data: ", "LS0tLS1CRUdJTg=="),
        ('{"password": "correct-horse"}', '"password": "', "correct-horse"),
        ("--bootstrap-token=0123456789abcdef", "--bootstrap-token=", "0123456789abcdef"),
    ],
)
def test_secrets_go_and_what_is_around_them_stays(text: str, kept: str, secret: str) -> None:
    scrubbed = redact(text)
    assert secret not in scrubbed
    assert kept in scrubbed
    assert MASK in scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "10.2.66.0/24 via 10.2.66.0 dev flannel.1 onlink",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "MountVolume.SetUp succeeded for volume kube-api-access-x7k2p",
        "secrets is forbidden: User system:node:kube-worker-01 cannot list resource secrets",
        "--tls-private-key-file=/etc/kubernetes/pki/kube-apiserver-key.pem",
        "key: value",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_long_line_takes_no_longer_than_many_short_ones() -> None:
    start = time.process_time()
    assert redact("a1" * 50_000 + " token=0123456789abcdef").endswith(f" token={MASK}")
    assert time.process_time() - start < 5  # of this process's own time; with the square of its length, a minute
