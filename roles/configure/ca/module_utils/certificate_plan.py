"""Plan the certificates of a cluster, and find why an existing one has to be replaced. No I/O."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PURPOSES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


class PlanError(ValueError):
    """A declaration that cannot be fulfilled; the text names it."""


@dataclass(frozen=True)
class Profile:
    """What a certificate says about its holder, as far as it was asked for."""

    common_name: str
    organization: str = ""
    authority: bool = False
    purposes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """A certificate to have: file name without suffix, holder, issuer (None: it signs itself) and lifetime in days."""

    name: str
    profile: Profile
    days: int
    issuer: str | None = None


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key; what is missing or cannot be read is None."""

    certificate: x509.Certificate | None = None
    key: ec.EllipticCurvePrivateKey | None = None


def plan(
    authorities: Iterable[Mapping[str, Any]],
    certificates: Iterable[Mapping[str, Any]],
    groups: Mapping[str, Mapping[str, str]],
    *,
    authority_days: int,
    certificate_days: int,
    renew_before_days: int,
) -> list[Wanted]:
    """Turn declarations into the list of certificates to have, issuers first.

    Args:
        authorities: mappings with `name` and `common_name`.
        certificates: mappings with `name`, `issuer`, `common_name`, `purposes` (client, server) and, where needed,
            `organization`, `names`, `addresses` and `each_of`: groups whose every host gets a certificate of its own,
            with {host} and {address} replaced in all texts.
        groups: group name → host name → address.
        authority_days: lifetime of an authority, in days.
        certificate_days: lifetime of the others, in days.
        renew_before_days: how long before its end one is replaced, in days.

    Raises:
        PlanError: an unknown issuer, purpose or group, a name declared twice, an address that is none, or lifetimes
            so short that every run would renew everything.
    """
    if renew_before_days >= min(authority_days, certificate_days):
        raise PlanError(f"renewal {renew_before_days} days before the end of {certificate_days} would never end")
    wanted = [
        Wanted(str(item["name"]), Profile(str(item["common_name"]), authority=True), authority_days)
        for item in authorities
    ]
    issuers = {item.name for item in wanted}
    for declaration in certificates:
        if declaration["issuer"] not in issuers:
            raise PlanError(f"{declaration['name']}: no authority is named {declaration['issuer']!r}")
        for host, address in _holders(declaration, groups):
            wanted.append(_leaf(declaration, host, address, certificate_days))
    names = [item.name for item in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlanError(f"declared more than once: {', '.join(twice)}")
    return wanted


def _holders(declaration: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Host names and addresses that a declaration is repeated for; one empty holder where it is not."""
    if "each_of" not in declaration:
        return [("", "")]
    unknown = [group for group in declaration["each_of"] if group not in groups]
    if unknown:
        raise PlanError(f"{declaration['name']}: unknown group {', '.join(unknown)}")
    return sorted({holder for group in declaration["each_of"] for holder in groups[group].items()})


def _leaf(declaration: Mapping[str, Any], host: str, address: str, days: int) -> Wanted:
    def fill(text: object) -> str:
        return str(text).replace("{host}", host).replace("{address}", address)

    name = fill(declaration["name"])
    purposes = frozenset(map(str, declaration["purposes"]))
    if not purposes or not purposes <= PURPOSES.keys():
        raise PlanError(f"{name}: purposes are {' and '.join(PURPOSES)}, not {sorted(purposes)}")
    try:
        addresses = frozenset(str(ipaddress.ip_address(fill(item))) for item in declaration.get("addresses", []))
    except ValueError as error:
        raise PlanError(f"{name}: {error}") from error
    profile = Profile(
        common_name=fill(declaration["common_name"]),
        organization=fill(declaration.get("organization", "")),
        purposes=purposes,
        names=frozenset(map(fill, declaration.get("names", []))),
        addresses=addresses,
    )
    return Wanted(name, profile, days, str(declaration["issuer"]))


def profile_of(certificate: x509.Certificate) -> Profile:
    """Read back what a certificate says about its holder; purposes unknown here appear as dotted numbers."""

    def subject(oid: x509.ObjectIdentifier) -> str:
        return ", ".join(str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid))

    words = {oid: word for word, oid in PURPOSES.items()}
    authority, purposes, names, addresses = False, frozenset[str](), frozenset[str](), frozenset[str]()
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints):
            authority = value.ca
        elif isinstance(value, x509.ExtendedKeyUsage):
            purposes = frozenset(words.get(oid, oid.dotted_string) for oid in value)
        elif isinstance(value, x509.SubjectAlternativeName):
            names = frozenset(value.get_values_for_type(x509.DNSName))
            addresses = frozenset(map(str, value.get_values_for_type(x509.IPAddress)))
    return Profile(
        subject(NameOID.COMMON_NAME), subject(NameOID.ORGANIZATION_NAME), authority, purposes, names, addresses
    )


def reason_to_issue(
    wanted: Wanted, pair: Pair, issuer: Pair | None, now: datetime.datetime, renew_before: datetime.timedelta
) -> str | None:
    """Say in a few words why a certificate has to be made anew; None if what is there will do.

    Args:
        wanted: the declared certificate.
        pair: what is there.
        issuer: the issuer's, as it will be used; None for an authority, which signs itself.
        now: the present, with a time zone.
        renew_before: how long before its end a certificate is replaced.
    """
    certificate = pair.certificate
    if certificate is None:
        return "no certificate"
    if pair.key is None:
        return "no key"
    if _public_bytes(pair.key.public_key()) != _public_bytes(certificate.public_key()):
        return "the key is another one's"
    if certificate.not_valid_after_utc - renew_before <= now:
        return f"ends {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        return f"begins {certificate.not_valid_before_utc:%Y-%m-%d}"
    found = profile_of(certificate)
    different = [key for key in vars(found) if getattr(found, key) != getattr(wanted.profile, key)]
    if different:
        return f"{', '.join(key.replace('_', ' ') for key in different)} not as wanted"
    above = issuer.certificate if issuer else certificate
    try:
        certificate.verify_directly_issued_by(above or certificate)
    except (ValueError, TypeError, InvalidSignature):
        return "its issuer has changed"
    return None


def _public_bytes(key: Any) -> bytes:
    """A public key in the one form in which two can be compared."""
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
