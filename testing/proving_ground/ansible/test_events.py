"""Events of ansible-runner become outcomes, and a failed run names its cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proving_ground.ansible.events import Outcome, failure, outcome_of

LOG = Path("ansible.log")


def event(**result: Any) -> dict[str, Any]:
    return {
        "host": "etcd-01",
        "role": "configure/etcd",
        "task": "Start etcd",
        "task_path": "roles/configure/etcd/tasks/service.yml:3",
        "duration": 1.5,
        "res": result,
    }


def outcome(host: str, status: str, message: str = "", task: str = "Start etcd") -> Outcome:
    return Outcome(host, "configure/etcd", task, "service.yml:3", status, 0.1, message)


def test_a_change_is_told_from_no_change() -> None:
    assert outcome_of("runner_on_ok", event(changed=True)).status == "changed"
    assert outcome_of("runner_on_ok", event(changed=False)).status == "ok"


def test_an_ignored_failure_is_no_failure() -> None:
    assert outcome_of("runner_on_failed", event(msg="no") | {"ignore_errors": True}).status == "ignored"
    assert outcome_of("runner_on_failed", event(msg="no")).status == "failed"


def test_an_outcome_reads_as_host_role_and_task() -> None:
    assert str(outcome_of("runner_on_ok", event())) == "etcd-01: configure/etcd : Start etcd"


def test_the_diff_shows_before_and_after() -> None:
    diff = outcome_of("runner_on_ok", event(changed=True, diff=[{"before": "old\n", "after": "new\n"}])).diff
    assert "--- before\nold" in diff
    assert "+++ after\nnew" in diff


def test_the_cause_is_told_where_the_result_lacks_it_and_only_ansibles_own_line_has_it() -> None:
    printed = (
        "\x1b[0;31m[ERROR]: Task failed: Module failed: Error executing command: [Errno 2] No such file or directory: "
        "b'/opt/bin/nothing'\x1b[0m\r\n\x1b[0;31mOrigin: tasks/main.yml:5:7\x1b[0m\r\nfatal: [etcd-01]: FAILED! => {}"
    )
    result = event(msg="Error executing command.", cmd="/opt/bin/nothing --at-all", rc=2, stdout="", stderr="")
    told = outcome_of("runner_on_failed", result, printed).message
    assert told == "Error executing command: [Errno 2] No such file or directory: b'/opt/bin/nothing'"


def test_the_result_speaks_for_itself_where_ansibles_line_is_of_something_else() -> None:
    printed = "[ERROR]: Task failed: Module failed: another task's words\r\n"
    assert outcome_of("runner_on_failed", event(msg="no"), printed).message == "no"


def test_what_a_task_hides_is_not_taken_from_ansibles_line() -> None:
    printed = "[ERROR]: Task failed: the output has been hidden: hunter2\r\n"
    hidden = event(censored="the output has been hidden")
    assert "hunter2" not in outcome_of("runner_on_failed", hidden, printed).message


def test_a_hidden_result_stays_hidden() -> None:
    hidden = event(censored="the output has been hidden due to the fact that 'no_log: true' was specified")
    assert "hidden" in outcome_of("runner_on_failed", hidden).message


def test_secrets_of_known_forms_are_masked_even_where_a_task_does_not_hide_them() -> None:
    diff = [{"before": "", "after": "token=correct-horse-battery\n"}]
    told = outcome_of("runner_on_failed", event(msg="login with password: correct-horse-battery", diff=diff))
    assert "correct-horse" not in told.message + told.change()
    assert "token=" in told.diff
    assert told.message.startswith("login with password")


def test_a_failure_names_host_role_task_words_file_and_the_other_hosts() -> None:
    causes = [outcome("etcd-01", "failed", "unit not found"), outcome("etcd-02", "failed", "unit not found")]
    error = failure(causes, "", "failed", playbook="kubernetes.yml", log=LOG)
    text = "etcd-01: configure/etcd : Start etcd: failed (also on etcd-02): unit not found [service.yml:3]"
    assert str(error).startswith(text)
    assert error.exit_code == 15


def test_an_unreachable_host_is_called_so() -> None:
    error = failure(
        [outcome("etcd-01", "unreachable", "Connection timed out")], "", "failed", playbook="kubernetes.yml", log=LOG
    )
    assert "etcd-01: configure/etcd : Start etcd: is unreachable: Connection timed out" in str(error)


def test_the_first_cause_is_told_not_what_followed() -> None:
    causes = [outcome("etcd-01", "ok"), outcome("etcd-01", "failed", "first"), outcome("etcd-02", "failed", "second")]
    assert "first" in str(failure(causes, "", "failed", playbook="kubernetes.yml", log=LOG))


def test_a_playbook_that_does_not_parse_is_told_in_ansibles_words() -> None:
    output = "[ERROR]: YAML parsing failed: Did not find expected key.\nOrigin: kubernetes.yml:3:1\n\n1 ---\n"
    text = "kubernetes.yml: YAML parsing failed: Did not find expected key. [kubernetes.yml:3:1] — "
    assert str(failure([], output, "failed", playbook="kubernetes.yml", log=LOG)).startswith(text)


def test_a_program_that_failed_is_told_in_its_own_last_words() -> None:
    result = event(msg="non-zero return code", stdout="looking\ncannot read cpython.tar: is the depot mounted?")
    message = outcome_of("runner_on_failed", result).message
    assert message == "non-zero return code: cannot read cpython.tar: is the depot mounted?"


def test_an_outcome_tells_when_it_began_where_ansible_does() -> None:
    told = outcome_of("runner_on_ok", event() | {"start": "2026-11-23T12:00:01.500000+00:00"})
    assert told.start == 1795435201.5
    assert outcome_of("runner_on_ok", event() | {"start": None}).start == 0


def test_the_report_keeps_the_words_of_failures_alone_and_no_difference() -> None:
    failed = Outcome("etcd-01", "etcd", "Start", "x.yml:1", "failed", 0.1, "no", "--- before")
    assert failed.facts()["message"] == "no"
    assert "diff" not in failed.facts()
    assert "message" not in outcome_of("runner_on_ok", event(stdout="much")).facts()


def test_a_role_of_a_collection_has_its_whole_name() -> None:
    data = {"host": "web-01", "role": "nginx", "resolved_role": "acme.web.nginx", "task": "Install"}
    assert outcome_of("runner_on_ok", data).role == "acme.web.nginx"
    assert outcome_of("runner_on_ok", data | {"resolved_role": None}).role == "nginx"
