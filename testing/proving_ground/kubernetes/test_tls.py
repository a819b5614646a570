"""TLS questions against a real server: answered, refused, and never answered are told apart."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from proving_ground.kubernetes.certificates import issue, key_usage
from proving_ground.kubernetes.tls import Identity, Verdict, ask

NAME = "server.test"


def authority(directory: Path, name: str) -> Identity:
    """An authority: signs itself, and everything else here."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Identity(directory / "authority.pem", directory / "authority-key.pem")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


class Greeter(http.server.BaseHTTPRequestHandler):
    """Tells which request it got."""

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        said = f"{self.command} {self.path} {self.headers.get('Authorization')} {self.rfile.read(length).decode()}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said.encode())

    do_GET = do_PATCH = answer  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Quiet(http.server.ThreadingHTTPServer):
    """Refused clients are what is tested here, not worth a traceback each."""

    def handle_error(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """The authority that the server asks its clients' certificates from, and that it shows itself."""
    return authority(tmp_path_factory.mktemp("trusted"), "trusted")


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"], scope="module")
def url(request: pytest.FixtureRequest, trusted: Identity) -> Iterator[str]:
    """A server that lets in only whom ``trusted`` has certified, with either version of TLS."""
    server = Quiet(("127.0.0.1", 0), Greeter)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(trusted.certificate))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = request.param
    context.load_cert_chain(trusted.certificate, trusted.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_server_answers_a_client_with_its_authoritys_certificate(url: str, trusted: Identity, tmp_path: Path) -> None:
    known = issue(tmp_path, "known", authority=trusted)
    answer = ask(
        f"{url}/a?b=c",
        authority=trusted.certificate,
        identity=known,
        server_name=NAME,
        token="t",
        method="PATCH",
        body="x",
    )
    assert (answer.verdict, answer.status, answer.body) == (Verdict.ANSWERED, 200, "PATCH /a?b=c Bearer t x")


def test_server_refuses_a_client_without_a_certificate(url: str, trusted: Identity) -> None:
    answer = ask(url, authority=trusted.certificate, server_name=NAME)
    assert answer.verdict is Verdict.REFUSED, answer


@pytest.mark.parametrize("flaw", ["forged", "expired", "for-servers"])
def test_server_refuses_a_certificate_that_is(url: str, trusted: Identity, tmp_path: Path, flaw: str) -> None:
    purpose = ExtendedKeyUsageOID.SERVER_AUTH
    identity = {
        "forged": lambda: issue(tmp_path, "forged", imitate=trusted.certificate),
        "expired": lambda: issue(tmp_path, "late", authority=trusted, expired=True),
        "for-servers": lambda: issue(tmp_path, "server", authority=trusted, purpose=purpose),
    }[flaw]()
    answer = ask(url, authority=trusted.certificate, identity=identity, server_name=NAME)
    assert answer.verdict is Verdict.REFUSED, answer


def test_server_under_another_name_is_an_error_and_no_refusal(url: str, trusted: Identity, tmp_path: Path) -> None:
    known = issue(tmp_path, "known", authority=trusted)
    answer = ask(url, authority=trusted.certificate, identity=known, server_name="other.test")
    assert (answer.verdict, answer.reason) == (Verdict.ERROR, "CERTIFICATE_VERIFY_FAILED")


def test_nobody_there_is_an_error_and_no_refusal(trusted: Identity) -> None:
    answer = ask("https://127.0.0.1:1/", authority=trusted.certificate)
    assert answer.verdict is Verdict.ERROR
    assert "refused" in answer.reason.lower(), "connection refused is not refused by TLS"
