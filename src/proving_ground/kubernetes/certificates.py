"""Make certificates for a test's own clients: valid ones, and ones that a server has to reject."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proving_ground.kubernetes.tls import Identity


def issue(
    directory: Path,
    common_name: str,
    *,
    organization: str = "",
    authority: Identity | None = None,
    imitate: Path | None = None,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    expired: bool = False,
) -> Identity:
    """Make a key and a certificate for a test's own client.

    Args:
        directory: where it writes both files.
        common_name: the subject's common name: Kubernetes' user.
        organization: the subject's organization: Kubernetes' group; or empty.
        authority: the authority that signs, or None for a new, untrusted one.
        imitate: certificate of an authority whose name the untrusted one copies, as a forger would.
        purpose: extended key usage.
        expired: whether the certificate expired an hour ago.
    """
    if authority is None:
        signing_key: ec.EllipticCurvePrivateKey = ec.generate_private_key(ec.SECP256R1())
        issuer = _subject("forged")
        if imitate is not None:
            issuer = x509.load_pem_x509_certificate(imitate.read_bytes()).subject
    else:
        loaded = load_pem_private_key(authority.key.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey), f"{authority.key} holds no elliptic-curve key"
        signing_key = loaded
        issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(hours=-1 if expired else 1)
    # Valid (RFC 5280) except for the fault that the test wants.
    certificate = (
        x509.CertificateBuilder(issuer, _subject(common_name, organization), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=2))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    made = Identity(directory / "certificate.pem", directory / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def key_usage(*, authority: bool) -> x509.KeyUsage:
    """Return the key usage: digital signatures; for an authority also signing certificates."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(common_name: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)
