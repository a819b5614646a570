"""Results: what passes, fails, and does not apply; and that a reason has to hold."""

from __future__ import annotations

from dataclasses import replace

from proving_ground.kubernetes.benchmark.facts import Facts, Machine
from proving_ground.kubernetes.benchmark.model import Check, Outcome, judge
from proving_ground.kubernetes.benchmark.site import Exemption, Site
from proving_ground.kubernetes.benchmark.ways.registry import read_questions

CHECK = Check(
    "1.2.11",
    "pull",
    "images are pulled",
    read_questions({"argument": "plugins", "of": "kube-apiserver", "includes": ["Pull"]}, "test"),
)
SITE = Site(
    {},
    {"1.2.11": Exemption("1.2.11", "there is no registry", {"argument": "registry", "of": "kubelet", "given": False})},
)


def facts(**arguments: str) -> Facts:
    machine = Machine("one", {"kube-apiserver": arguments, "kubelet": arguments})
    return Facts({"control-plane": [machine], "node": [machine]})


def test_check_passes_or_fails_by_its_questions() -> None:
    assert judge(CHECK, facts(plugins="Pull"), Site({})).outcome is Outcome.PASSED
    result = judge(CHECK, facts(plugins="Other"), Site({}))
    assert (result.outcome, str(result)) == (
        Outcome.FAILED,
        "CIS 1.2.11: images are pulled\n  one: --plugins of kube-apiserver is 'Other', which lacks Pull",
    )


def test_exempt_check_does_not_apply_while_its_reason_holds() -> None:
    result = judge(CHECK, facts(), SITE)
    assert (result.outcome, result.reason, result.problems) == (Outcome.NOT_APPLICABLE, "there is no registry", ())


def test_exempt_check_fails_when_its_reason_no_longer_holds() -> None:
    result = judge(CHECK, facts(registry="there"), SITE)
    assert result.outcome is Outcome.FAILED
    assert result.problems == (
        "it should not apply, since there is no registry; but",
        "one: --registry of kubelet is there, and must not be set",
    )


def test_program_that_does_not_run_is_no_success() -> None:
    found = facts(plugins="Pull")
    stopped = replace(found, machines={**found.machines, "control-plane": [Machine("two")]})
    assert judge(CHECK, stopped, Site({})).problems == ("nothing is known: two: kube-apiserver does not run",)


def test_no_machine_of_a_kind_is_no_success() -> None:
    result = judge(CHECK, Facts(), Site({}))
    assert result.problems == ("nothing is known: no machine is of the kind control-plane",)
