"""The file that says what is particular to a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.site import Site, Trust, read_site

USUAL = {"kubelet-kubeconfig": ("/etc/kubernetes/kubelet.conf",), "pki": ("/pki", "/pki/*")}


def site(tmp_path: Path, text: str) -> Site:
    path = tmp_path / "site.yml"
    path.write_text(text)
    return read_site(path, USUAL)


def test_paths_replace_the_usual_ones_of_the_same_name(tmp_path: Path) -> None:
    found = site(tmp_path, "paths: {kubelet-kubeconfig: /k, other: [/a, /b]}")
    assert found.paths_of("{kubelet-kubeconfig}") == ("/k",)
    assert found.paths_of("{other}") == ("/a", "/b")
    assert found.paths_of("{pki}") == ("/pki", "/pki/*")
    assert found.paths_of("/itself") == ("/itself",)


def test_unknown_name_of_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no paths 'pkii'"):
        site(tmp_path, "{}").paths_of("{pkii}")


def test_trust_is_of_a_name_and_of_checks(tmp_path: Path) -> None:
    text = """
trusted:
  - {name: "Pod kube-system/kube-proxy-*", checks: [5.6.2], reason: it must}
  - {name: Group admins, checks: all, reason: they may}
"""
    found = site(tmp_path, text)
    assert found.trusted[0] == Trust("Pod kube-system/kube-proxy-*", ("5.6.2",), "it must")
    assert found.trusts("Pod kube-system/kube-proxy-a", "5.6.2")
    assert not found.trusts("Pod kube-system/kube-proxy-a", "5.6.3")
    assert not found.trusts("Pod shop/kube-proxy-a", "5.6.2")
    assert found.trusts("Group admins", "5.1.1")


def test_exemption_has_a_reason_and_what_has_to_hold(tmp_path: Path) -> None:
    found = site(tmp_path, "not_applicable: {1.2.11: {reason: no registry, holds: {objects: pods, none: true}}}")
    assert found.exemptions["1.2.11"].reason == "no registry"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not_applicable: {1.2.11: {reason: no registry}}", r"site.yml:1: not_applicable.1.2.11: needs the key holds"),
        ("not_applicable:\n  1.2.11: {reason: '', holds: {objects: pods}}", 'site.yml:2: .*reason: is ""'),
        ("not_applicable: {1.2.11: {reason: it is so, holds: {}}}", "holds: is {} — write a question as in the table"),
        ("trusted: [{name: a, checks: all}]", r"trusted\[0\]: needs the key reason"),
        ("trusted: [{name: a, checks: [], reason: b}]", r"checks: is \[\] — write a check, a list of checks, or all"),
        ("system_namespaces: []\npath: {}", "site.yml:2: path: unknown key — did you mean paths"),
        ("paths: {pki: 3}", "paths.pki: is 3 — write a path, or a list of paths"),
        ("paths: {", "site.yml"),
    ],
)
def test_file_that_is_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        site(tmp_path, text)
