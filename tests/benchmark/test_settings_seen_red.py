"""The benchmark is red for weak settings of a live control plane, of a worker and of etcd, and for nothing else.

It is no part of a usual run, since it restarts all of these: ``pytest --pg-reuse -m thorough tests/benchmark``.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from proving_ground.core.errors import HarnessError
from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import Timeouts
from proving_ground.machines.hosts import Hosts

Red = Callable[[], dict[str, tuple[str, ...]]]
pytestmark = [
    pytest.mark.order(991),
    pytest.mark.role("configure/etcd", "configure/kube-master", "configure/kube-worker"),
    pytest.mark.disruptive,
    pytest.mark.thorough,
]

MANIFESTS = "/etc/kubernetes/manifests"
KUBELET, PROXY = "/etc/kubernetes/kubelet.yaml", "/etc/kubernetes/kube-proxy.yaml"
KUBELET_UNIT = "/etc/systemd/system/kubelet.service.d/10-settings.conf"
ETCD_UNIT = "/etc/systemd/system/etcd.service.d/10-settings.conf"
ETCD_AUTHORITY, AUTHORITY = "/etc/etcd/pki/ca.pem", "/etc/kubernetes/pki/ca.pem"
TOKENS = "/etc/kubernetes/pki/seen-red.csv"
ENCRYPTION = "/etc/kubernetes/encryption.yaml"

WEAK: Mapping[str, Mapping[str, str | None]] = {
    "kube-apiserver": {
        "anonymous-auth": "true",
        "token-auth-file": TOKENS,
        "enable-admission-plugins": "AlwaysAdmit",
        "disable-admission-plugins": "ServiceAccount,NamespaceLifecycle",
        "kubelet-certificate-authority": None,
        "authorization-mode": "AlwaysAllow",
        "profiling": "true",
        **dict.fromkeys(("audit-log-path", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize")),
        "audit-policy-file": None,
        "request-timeout": "1h",
        "service-account-lookup": "false",
        "tls-cipher-suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "service-account-extend-token-expiration": "true",
    },
    "kube-controller-manager": {
        "terminated-pod-gc-threshold": "0",
        "profiling": "true",
        "use-service-account-credentials": "false",
        "service-account-private-key-file": None,
        "root-ca-file": None,
        "feature-gates": "RotateKubeletServerCertificate=false",
        "bind-address": "0.0.0.0",
    },
    "kube-scheduler": {"profiling": "true", "bind-address": "0.0.0.0"},
}
"""Program → its arguments; None takes one away."""

WEAK_KUBELET: Mapping[str, Any] = {
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "readOnlyPort": 10255,
    "makeIPTablesUtilChains": False,
    "eventRecordQPS": 0,
    "featureGates": {"RotateKubeletServerCertificate": False},
    "tlsCipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"],
    "podPidsLimit": -1,
    "seccompDefault": False,
}

EXPECTED = {
    *(f"1.2.{number}" for number in (1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 28, 29, 30)),
    *("1.3.1", "1.3.2", "1.3.3", "1.3.4", "1.3.5", "1.3.6", "1.3.7", "1.4.1", "1.4.2"),
    *("2.3", "2.5", "2.6", "2.7", "3.2.1", "3.2.2"),
    *(f"4.2.{number}" for number in range(1, 15) if number not in {5, 9}),
    "4.3.1",
}
"""All checks of settings but those that nothing live can break.

Without certificates and keys of servers and clients nothing runs, and without clients' certificates etcd knows no users
(2.2). A kubelet takes no time-out for the usual one (4.2.5), and makes a certificate where it is given none (4.2.9).
"""


def test_weak_settings_are_red(
    red: Red, pg_hosts: Hosts, pg_benchmark_machines: Mapping[str, Sequence[str]], pg_timeouts: Timeouts
) -> None:
    (master, *_), (member, *_) = pg_benchmark_machines["control-plane"], pg_benchmark_machines["etcd"]
    worker = pg_benchmark_machines["node"][-1]

    def is_red(expected: set[str]) -> None:
        found = red()
        if set(found) != expected:
            more = {check: problems for check, problems in found.items() if check not in expected}
            raise NotReady(f"not red: {sorted(expected - set(found))}; red as well: {more}")

    def wait_until_red(expected: set[str]) -> None:
        from urllib3.exceptions import HTTPError

        pg_timeouts.wait_until(
            "what is weak is red",
            lambda: is_red(expected),
            timeout=100,
            interval=2,
            retry_on=(HarnessError, HTTPError, OSError),
        )

    wait_until_red(set())
    with ExitStack() as stack:
        stack.callback(pg_hosts[master].run, f"rm -f {TOKENS}")
        stack.enter_context(weak_etcd(pg_hosts[member], pg_hosts[master]))
        stack.enter_context(weak_worker(pg_hosts[worker]))
        stack.enter_context(weak_master(pg_hosts[master]))
        wait_until_red(EXPECTED)
    wait_until_red(set())


@contextmanager
def changed(host: Host, files: Mapping[str, str], restart: str = "") -> Iterator[None]:
    """Files have another content for the length of the block; a command makes their readers start again."""
    saved = {path: "/run/seen-red" + path.replace("/", "-") for path in files}
    try:
        for path, text in files.items():
            host.check_output(f"cp --preserve=all {path} {saved[path]}")
            write(host, path, text)
        host.check_output(restart or "true")
        yield
    finally:
        for path, copy in saved.items():
            host.run(f"[ ! -e {copy} ] || mv {copy} {path}")
        host.check_output(restart or "true")


def write(host: Host, path: str, text: str) -> None:
    """Write a file anew, hidden until it is whole, since kubelets read manifests at any time."""
    new = f"{path.rpartition('/')[0]}/.seen-red"
    encoded = base64.b64encode(text.encode()).decode()
    host.check_output(f"(umask 077; echo {encoded} | base64 --decode >{new}) && mv {new} {path}")


def weak_master(host: Host) -> Any:
    """The control plane's pods have weak arguments."""
    write(host, TOKENS, "0123456789abcdef,mallory,1\n")
    files = {}
    for program, arguments in WEAK.items():
        path = f"{MANIFESTS}/{program}.yaml"
        pod = yaml.safe_load(host.check_output(f"cat {path}"))
        command = pod["spec"]["containers"][0]["command"]
        kept = [word for word in command if word.lstrip("-").partition("=")[0] not in arguments]
        added = [f"--{name}={value}" for name, value in arguments.items() if value is not None]
        pod["spec"]["containers"][0]["command"] = kept + added
        files[path] = yaml.safe_dump(pod)
    encryption = yaml.safe_load(host.check_output(f"cat {ENCRYPTION}"))
    encryption["resources"][0]["providers"].reverse()
    # Before the manifests: the new pod reads it.
    return changed(host, {ENCRYPTION: yaml.safe_dump(encryption), **files})


def weak_worker(host: Host) -> Any:
    """The kubelet of a worker has weak settings, and kube-proxy shows its metrics to everybody."""
    kubelet = {**yaml.safe_load(host.check_output(f"cat {KUBELET}")), **WEAK_KUBELET}
    unit = host.check_output(f"cat {KUBELET_UNIT}")
    more = (
        f"--bootstrap-kubeconfig=/etc/kubernetes/kubelet.kubeconfig --hostname-override={host.check_output('hostname')}"
    )
    proxy = {**yaml.safe_load(host.check_output(f"cat {PROXY}")), "metricsBindAddress": "0.0.0.0:10249"}
    pod = yaml.safe_load(host.check_output(f"cat {MANIFESTS}/kube-proxy.yaml"))
    pod["metadata"]["annotations"] = {"proving-ground.test/settings": "seen-red"}
    files = {
        PROXY: yaml.safe_dump(proxy),
        f"{MANIFESTS}/kube-proxy.yaml": yaml.safe_dump(pod),
        KUBELET: yaml.safe_dump(kubelet),
        KUBELET_UNIT: unit.replace("--config=", f"{more} --config="),
    }
    return changed(host, files, "systemctl daemon-reload && systemctl restart kubelet")


def weak_etcd(host: Host, master: Host) -> Any:
    """Etcd signs certificates for itself, does not insist on those of members, and trusts the cluster's authority."""
    unit = host.check_output(f"cat {ETCD_UNIT}")
    unit = unit.replace("ETCD_PEER_CLIENT_CERT_AUTH=true", "ETCD_PEER_CLIENT_CERT_AUTH=false")
    unit += "\nEnvironment=ETCD_AUTO_TLS=true ETCD_PEER_AUTO_TLS=true\n"
    both = "\n".join((host.check_output(f"cat {ETCD_AUTHORITY}"), master.check_output(f"cat {shlex.quote(AUTHORITY)}")))
    restart = f"chmod 644 {ETCD_AUTHORITY}; systemctl daemon-reload && systemctl restart etcd"
    return changed(host, {ETCD_UNIT: unit, ETCD_AUTHORITY: both + "\n"}, restart)
