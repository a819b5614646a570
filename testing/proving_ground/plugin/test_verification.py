"""verify.yml runs once, and each of its plays on each host is judged by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.playbook import plays_on_hosts
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import load
from proving_ground.lifecycle import executor
from proving_ground.lifecycle.executor import Executor
from proving_ground.lifecycle.state import State
from proving_ground.plugin.verification import judged

pytest_plugins = ["pytester"]

VERIFY = """
- {name: Store, hosts: etcd, tasks: []}
- {hosts: kube_worker, tasks: []}
- {name: Anywhere, hosts: "{{ where }}", tasks: []}
"""
KNOWN = (("Store", "etcd-01"), ("Store", "etcd-02"), ("Web", "etcd-01"), ("Web", "etcd-02"), ("Anywhere", ""))


def outcome(play: str, host: str, status: str = "ok") -> Outcome:
    message = "assertion failed" if status == "failed" else ""
    return Outcome(host, "", "Check", "verify.yml:4", status, 0.1, play=play, message=message)


def ran(*outcomes: Outcome) -> Converge:
    failed = any(each.status == "failed" for each in outcomes)
    return Converge(outcomes, Path("log"), ConvergeError("failed", play="Store") if failed else None)


ONE_FAILS = ran(
    *(outcome("Store", "etcd-01", "failed"), outcome("Store", "etcd-02")),
    *(outcome("Web", "etcd-02", "changed"), outcome("Anywhere", "localhost")),
)


def test_a_failure_is_that_of_its_play_on_its_host() -> None:
    verdict = judged(ONE_FAILS, "Store", "etcd-01", KNOWN)
    assert str(verdict.error) == "etcd-01: Check: failed: assertion failed [verify.yml:4] (log: log)"
    assert judged(ONE_FAILS, "Store", "etcd-02", KNOWN).error is None


def test_other_hosts_and_plays_pass_and_what_did_not_run_says_why() -> None:
    for play, host in KNOWN[1:]:
        assert judged(ONE_FAILS, play, host, KNOWN).error is None
    assert judged(ONE_FAILS, "Web", "etcd-02", KNOWN).reason == ""
    assert judged(ONE_FAILS, "Anywhere", "", KNOWN).reason == ""
    assert judged(ONE_FAILS, "Web", "etcd-01", KNOWN).reason == (
        "did not run: etcd-01: Check: failed: assertion failed [verify.yml:4]"
    )


@pytest.mark.parametrize(("on", "tests"), [("etcd-01", 2), ("localhost", 5)])
def test_a_failure_that_no_test_stands_for_is_not_lost(on: str, tests: int) -> None:
    result = ran(outcome("Named by a template", on, "failed"))
    assert sum(judged(result, play, each, KNOWN).error is not None for play, each in KNOWN) == tests


def test_a_playbook_that_does_not_run_fails_all() -> None:
    error = ConvergeError("is no list of plays", where="verify.yml")
    assert judged(Converge((), Path("log"), error), "Store", "etcd-01", KNOWN).error is error


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject="[tool.proving-ground]")
    planned.makefile(".yml", site="- {name: First, hosts: etcd, roles: [store]}", verify=VERIFY)
    return planned


ITEMS = [
    *("steps::test_verify[Store-etcd-01]", "steps::test_verify[kube_worker-kube-worker-01]"),
    *("steps::test_verify[kube_worker-kube-worker-02]", "steps::test_verify[Anywhere]"),
]


@pytest.mark.parametrize("arguments", [("-m", "verify"), ("--pg-reuse",)])
def test_each_play_on_each_host_is_a_test_also_of_machines_as_they_are(
    project: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    result = project.runpytest("--collect-only", "-q", "-p", "no:cacheprovider", *arguments)
    assert [line for line in result.outlines if "::" in line] == ITEMS


def test_plays_of_an_imported_playbook_are_found(project: pytest.Pytester) -> None:
    project.makefile(".yml", all="- ansible.builtin.import_playbook: verify.yml\n- import_playbook: none.yml")
    topology = load(project.path / "topology", "default")
    assert plays_on_hosts(project.path / "all.yml", topology)[0] == ("Store", "etcd-01")


def test_a_verification_that_cannot_be_read_ends_the_run(project: pytest.Pytester) -> None:
    project.makefile(".yml", verify="hosts: etcd")
    result = project.runpytest("-p", "no:cacheprovider")
    assert result.ret == 15
    result.stdout.fnmatch_lines(["!* error: verify.yml: is no list of plays !*"])


def test_it_runs_once_and_fails_by_name(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
import pytest
from pathlib import Path
from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError

class Machines:
    runs = 0

    def ensure_converged(self):
        return None

    def is_ready(self, roles):
        return True

    def verify(self):
        self.runs += 1
        assert self.runs == 1
        failed = Outcome("etcd-01", "", "Is up", "verify.yml:2", "failed", 0.1, "no answer", play="Store")
        fine = Outcome("kube-worker-01", "", "Is up", "verify.yml:3", "ok", 0.1, play="kube_worker")
        return Converge((failed, fine), Path("log"), ConvergeError("failed", play="Store"))

@pytest.fixture(scope="session")
def pg_machines():
    return Machines()
"""
    )
    result = project.runpytest("-p", "no:cacheprovider", "-rfs", "-m", "verify")
    result.assert_outcomes(failed=1, passed=1, skipped=2, deselected=4)
    result.stdout.fnmatch_lines(["FAILED steps::test_verify[[]Store-etcd-01[]] - *Is up: failed: no answer*"])
    assert result.ret == 1


def test_the_run_keeps_all_outcomes_and_none_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {web: {}}\n", encoding="utf-8")
    monkeypatch.setattr(State, "write_inventory", lambda _: tmp_path / "inventory.yml")
    lines: list[str] = []
    one = Executor(State(Settings(tmp_path, "run"), Progress()), Progress(write=lines.append))
    monkeypatch.setattr(executor, "attempt_playbook", lambda *_, **__: ONE_FAILS)
    assert one.verify("verify.yml") is ONE_FAILS
    assert "verify failed in" in lines[-1]
    monkeypatch.setattr(executor, "attempt_playbook", lambda *_, **__: Converge((), Path("log")))
    assert "it ran no task" in str(one.verify("verify.yml").error)
