"""Ask whom the kubeconfigs on machines make their holder: the groups in clients' certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.facts import KINDS, Facts
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields


@dataclass(frozen=True)
class Clients:
    """The certificates in kubeconfigs on machines of a kind: none may be of a group."""

    file: str
    kind: str
    group: str

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Clients:
        """Read ``{clients: PATH, machines: KIND, not_of: GROUP}``; raises UsageError."""
        given = fields(manifest, ("clients", "machines", "not_of"), where)
        if given.get("machines") not in KINDS or not given.get("not_of"):
            hint = f"machines: {', '.join(KINDS)}"
            raise UsageError("a question about clients lacks machines or not_of", where=where, hint=hint)
        return cls(str(given["clients"]), str(given["machines"]), str(given["not_of"]))

    def needs(self, site: Site) -> Needs:
        """Return the paths of the kubeconfigs."""
        return Needs(clients=tuple((self.kind, path) for path in site.paths_of(self.file)))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield kubeconfigs of the group, and machines that have none at all."""
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        for machine in facts.of_kind(self.kind):
            if not machine.clients:
                yield f"{machine.name}: no kubeconfig with a client's certificate was found"
            for path, certificate in machine.clients.items():
                subject = x509.load_pem_x509_certificate(certificate.encode()).subject
                groups = [str(each.value) for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
                if self.group in groups:
                    yield f"{machine.name}: {path} is of {subject.rfc4514_string()}"
