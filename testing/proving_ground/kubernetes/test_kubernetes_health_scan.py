"""What the cluster tells of containers after a green run: restarts and why, crash loops, panics in logs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proving_ground.core import topology
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL
from proving_ground.diagnostics.findings import Finding, UnreadableError
from proving_ground.kubernetes.health_scan import LOGS, logs, objects, pytest_proving_ground_health_checks
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.plugin.run import RUN

NODE, POD = "kube-worker-01", "kube-system/coredns-5d4b9c-x2x"
OUT_OF_MEMORY = {"exitCode": 137, "reason": "OOMKilled"}
WITH_ITS_MACHINE = {"exitCode": 255, "reason": "Unknown"}


def pod(**status: Any) -> dict[str, Any]:
    """A pod with one container, as kubectl shows it."""
    namespace, name = POD.split("/")
    container = {"name": "coredns", "restartCount": 0, "state": {"running": {}}, "lastState": {}} | status
    return {
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"nodeName": NODE},
        "status": {"containerStatuses": [container]},
    }


def event(reason: str, message: str, **more: Any) -> dict[str, Any]:
    """An event about that pod."""
    namespace, name = POD.split("/")
    about = {"kind": "Pod", "namespace": namespace, "name": name}
    known = {"kind": "Event", "reason": reason, "message": message, "involvedObject": about}
    return known | {"source": {"component": "kubelet", "host": NODE}, "count": 4} | more


def found(*items: dict[str, Any]) -> list[Finding]:
    return list(objects(json.dumps({"kind": "List", "items": items})))


def test_container_that_restarted_is_told_with_its_last_end() -> None:
    ended = {"exitCode": 2, "reason": "Error", "message": "cannot bind: address in use"}
    assert found(pod(restartCount=3, lastState={"terminated": ended})) == [
        Finding(NODE, "container restarted", f"{POD} coredns", "ended with 2: Error: cannot bind: address in use", 3)
    ]


def test_container_that_restarted_for_no_known_reason_is_told() -> None:
    assert [finding.line for finding in found(pod(restartCount=1))] == ["(no reason given)"]


def test_container_that_ended_with_its_machine_did_not_restart_by_itself() -> None:
    assert found(pod(restartCount=1, lastState={"terminated": WITH_ITS_MACHINE})) == []


def test_container_that_restarted_before_its_machine_did_is_told() -> None:
    assert [finding.count for finding in found(pod(restartCount=3, lastState={"terminated": WITH_ITS_MACHINE}))] == [2]


def test_container_that_was_killed_did_not_end_with_its_machine() -> None:
    killed = {"exitCode": 137, "reason": "Error"}
    assert [finding.line for finding in found(pod(restartCount=1, lastState={"terminated": killed}))] == [
        "ended with 137: Error"
    ]


def test_first_containers_count_as_well() -> None:
    item = pod()
    statuses = item["status"].pop("containerStatuses")
    item["status"]["initContainerStatuses"] = [statuses[0] | {"restartCount": 1}]
    assert [finding.what for finding in found(item)] == ["container restarted"]


def test_first_containers_that_came_to_a_good_end_ran_again_with_their_pod() -> None:
    """Their pod was started anew, with its machine or after its sandbox; what has done its work did not fail."""
    ended = {"exitCode": 0, "reason": "Completed"}
    again = pod()
    again["status"]["initContainerStatuses"] = [
        {"name": "first", "restartCount": 1, "lastState": {"terminated": ended}}
    ]
    assert found(again) == []
    assert found(pod(restartCount=1, lastState={"terminated": ended})) != [], "of one that has to run it is told"


def test_container_that_was_killed_and_stays_so_is_told() -> None:
    (finding,) = found(pod(state={"terminated": OUT_OF_MEMORY}))
    assert (finding.what, finding.line) == ("out of memory", "ended with 137: OOMKilled")


def test_crash_loop_is_told_by_its_event() -> None:
    text = "Back-off restarting failed container coredns in pod coredns-5d4b9c-x2x"
    assert found(event("BackOff", text)) == [Finding(NODE, "crash loop", POD, text, 4)]


def test_event_of_the_newer_kind_is_understood() -> None:
    text = "Back-off restarting failed container x"
    newer = event("BackOff", text, source={}, count=None, reportingInstance=NODE, series={"count": 7})
    assert [(finding.host, finding.count) for finding in found(newer)] == [(NODE, 7)]


@pytest.mark.parametrize(
    "item",
    [
        pod(),
        pod(state={"terminated": {"exitCode": 0, "reason": "Completed"}}),
        {"kind": "Pod", "metadata": {"namespace": "x", "name": "pending"}, "spec": {}, "status": {}},
        event("BackOff", 'Back-off pulling image "redis"'),
        event("Killing", "Stopping container coredns"),
        # The kubelet of a container reads it in the kernel's log, which is everybody's.
        event("SystemOOM", "System OOM encountered, victim process: java, pid: 4711"),
    ],
)
def test_usual_business_is_no_finding(item: dict[str, Any]) -> None:
    assert found(item) == []


def test_answer_that_is_none_is_no_empty_one() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        list(objects("The connection to the server 10.0.0.111:6443 was refused"))


STAMP = "2026-11-23T12:00:0{}.123456789Z stderr F {}\n"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A container's log in which a request panicked and the server went on."""
    log = tmp_path / "kube-system_kube-apiserver-kube-master-01_6f0c9d" / "kube-apiserver" / "0.log"
    log.parent.mkdir(parents=True)
    lines = ["http: panic serving 10.0.0.111:51234: boom", "goroutine 77 [running]:", "\tmain.main()", "I1 all is well"]
    log.write_text("".join(STAMP.format(number, line) for number, line in enumerate(lines)), encoding="utf-8")
    return tmp_path


def shown(directory: Path) -> subprocess.CompletedProcess[str]:
    """What the script for a node's logs prints where they lie in this directory."""
    script = LOGS.replace("/var/log/pods", str(directory))
    return subprocess.run(["sh", "-s"], input=script, text=True, capture_output=True, check=False)


def test_panic_in_a_log_is_told_although_nothing_restarted(written: Path) -> None:
    text = shown(written).stdout
    assert "all is well" not in text
    (finding,) = logs("kube-master-01", text)
    subject = "kube-system/kube-apiserver-kube-master-01 kube-apiserver"
    assert finding == Finding("kube-master-01", "panic", subject, "http: panic serving 10.0.0.111:51234: boom")


def test_log_that_talks_of_panics_holds_none(written: Path) -> None:
    (log,) = written.glob("*/*/0.log")
    log.write_text(STAMP.format(1, "panic recovery enabled") + STAMP.format(2, "0 restarts"), encoding="utf-8")
    assert list(logs("kube-master-01", shown(written).stdout)) == []


def test_logs_that_are_not_there_are_no_empty_ones(tmp_path: Path) -> None:
    done = shown(tmp_path / "nowhere")
    assert done.returncode != 0
    with pytest.raises(UnreadableError):
        list(logs("kube-master-01", done.stdout))


def test_cluster_is_asked_once_and_every_node_that_runs_pods(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "run")
    plan = topology.load(Path(__file__).parents[3] / "topology", "default")
    nodes = ["kube-master-01", "kube-worker-01", "kube-worker-02"]
    hook = SimpleNamespace(pytest_proving_ground_kubernetes_nodes=lambda **_: nodes)
    run = SimpleNamespace(settings=settings, topology=plan, timeouts=USUAL)
    config: Any = SimpleNamespace(stash={RUN: run}, hook=hook)
    assert pytest_proving_ground_health_checks(config) == []  # there is no cluster yet
    Ledger(settings.state_directory).write(Record("run", "default", "docker", view="/depot/view"))
    (settings.state_directory / "kubeconfig").touch()
    asked = [check.host for check in pytest_proving_ground_health_checks(config)]
    assert asked == ["cluster", "kube-master-01", "kube-worker-01", "kube-worker-02"]
