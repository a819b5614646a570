"""Keys and certificates in a directory: reads existing ones, makes new ones, replaces files atomically."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import ipaddress
import os
import secrets
from pathlib import Path

from ansible.module_utils.certificate_plan import PURPOSES, Pair, Wanted
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

SECRET_MODE, PUBLIC_MODE, DIRECTORY_MODE = 0o600, 0o644, 0o700
ENCRYPTION_KEY_BYTES = 32
# Clocks of nodes may be a little behind the controller's.
BACKDATE = datetime.timedelta(minutes=5)


class Store:
    """The directory in which `<name>.pem` and `<name>-key.pem` lie.

    Args:
        directory: where; it is made when the first file is written.
        dry_run: write nothing, only say what would be written.
    """

    def __init__(self, directory: Path, *, dry_run: bool = False) -> None:
        self.directory = directory
        self.dry_run = dry_run

    def pair(self, name: str) -> Pair:
        """What lies under a name."""
        certificate = None
        with contextlib.suppress(FileNotFoundError, ValueError):
            certificate = x509.load_pem_x509_certificate((self.directory / f"{name}.pem").read_bytes())
        return Pair(certificate, self.key(f"{name}-key.pem"))

    def key(self, file_name: str) -> ec.EllipticCurvePrivateKey | None:
        """The private key in a file; None if there is none, or one of another kind."""
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm):
            key = load_pem_private_key((self.directory / file_name).read_bytes(), password=None)
            return key if isinstance(key, ec.EllipticCurvePrivateKey) else None
        return None

    def issue(self, wanted: Wanted, issuer: Pair | None, now: datetime.datetime) -> Pair:
        """Make a key and its certificate and write both.

        Args:
            wanted: what it shall say.
            issuer: who signs it; None for an authority, which signs itself.
            now: the present, with a time zone.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(wanted, key, issuer, now)
        # The key first: after an interruption in between, the two do not match, and the next run makes both again.
        self.write_key(f"{wanted.name}-key.pem", key)
        self.write(f"{wanted.name}.pem", certificate.public_bytes(Encoding.PEM), PUBLIC_MODE)
        return Pair(certificate, key)

    def write_key(self, file_name: str, key: ec.EllipticCurvePrivateKey) -> None:
        """Write a private key, without a pass phrase."""
        self.write(file_name, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), SECRET_MODE)

    def write(self, file_name: str, content: bytes, mode: int) -> None:
        """Replace a file atomically: a reader sees the old or the new content."""
        if self.dry_run:
            return
        self.directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        unfinished = self.directory / f".{file_name}.unfinished"
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
        unfinished.replace(self.directory / file_name)

    def service_account(self) -> str | None:
        """Make sure of the key pair that signs service accounts' tokens; say why it had to change."""
        key, reason = self.key("service-account-key.pem"), None
        if key is None:
            key, reason = ec.generate_private_key(ec.SECP256R1()), "no key"
            self.write_key("service-account-key.pem", key)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if self._content("service-account.pub") != public:
            self.write("service-account.pub", public, PUBLIC_MODE)
            reason = reason or "the public key is not the key's"
        return reason

    def encryption_key(self) -> str | None:
        """Make sure of the key for secrets at rest; say why it had to change."""
        content = self._content("encryption-key")
        with contextlib.suppress(binascii.Error):
            if content is not None and len(base64.b64decode(content.strip(), validate=True)) == ENCRYPTION_KEY_BYTES:
                return None
        self.write("encryption-key", base64.b64encode(secrets.token_bytes(ENCRYPTION_KEY_BYTES)) + b"\n", SECRET_MODE)
        return "no key" if content is None else f"not {ENCRYPTION_KEY_BYTES} bytes in base64"

    def close_permissions(self) -> list[str]:
        """Take away what others may do with the directory and the secrets in it; the names that needed it."""
        if not self.directory.is_dir():
            return []
        secret = [*self.directory.glob("*-key.pem"), *self.directory.glob("encryption-key")]
        wanted = {self.directory: DIRECTORY_MODE} | dict.fromkeys(secret, SECRET_MODE)
        opened = [path for path, mode in wanted.items() if path.stat().st_mode & 0o777 != mode]
        for path in opened:
            if not self.dry_run:
                path.chmod(wanted[path])
        return sorted(path.name for path in opened)

    def _content(self, file_name: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return (self.directory / file_name).read_bytes()
        return None


def _certificate(
    wanted: Wanted, key: ec.EllipticCurvePrivateKey, issuer: Pair | None, now: datetime.datetime
) -> x509.Certificate:
    profile, public = wanted.profile, key.public_key()
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, profile.common_name)]
    if profile.organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, profile.organization))
    subject = x509.Name(attributes)
    issuer_subject, issuer_key, end = subject, key, now + datetime.timedelta(days=wanted.days)
    if issuer and issuer.certificate and issuer.key:
        issuer_subject, issuer_key = issuer.certificate.subject, issuer.key
        end = min(end, issuer.certificate.not_valid_after_utc)  # Nothing outlives what it hangs from.
    builder = (
        x509.CertificateBuilder(issuer_subject, subject, public, x509.random_serial_number(), now - BACKDATE, end)
        .add_extension(x509.BasicConstraints(profile.authority, 0 if profile.authority else None), critical=True)
        .add_extension(_key_usage(authority=profile.authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if profile.purposes:
        purposes = x509.ExtendedKeyUsage([PURPOSES[word] for word in sorted(profile.purposes)])
        builder = builder.add_extension(purposes, critical=False)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(profile.names)]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(profile.addresses)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
