"""Results come from upstream's JUnit file: a case that passed, failed, was skipped by itself, or did not run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proving_ground.kubernetes.upstream.junit import Result, read

PASSED = "[sig-node] Pods should run [Conformance]"
FAILED = "[sig-network] Services should serve [Conformance]"
SKIPPED = "[sig-apps] DaemonSet should roll [Conformance]"
FILE = f"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="6" failures="1"><testsuite name="Kubernetes e2e suite" tests="6" failures="1">
  <properties><property name="SuiteSucceeded" value="false"></property></properties>
  <testcase name="[SynchronizedBeforeSuite]" classname="Kubernetes e2e suite" status="passed" time="0.25"></testcase>
  <testcase name="[It] {PASSED}" classname="Kubernetes e2e suite" status="passed" time="4.5"></testcase>
  <testcase name="[It] {FAILED}" classname="Kubernetes e2e suite" status="failed" time="31">
    <failure message="" type="failed">[FAILED] the service did not answer
In [It] at: k8s.io/kubernetes/test/e2e/network/service.go:1 @ 11/30/26</failure>
    <system-err>&gt; Enter [BeforeEach]</system-err>
  </testcase>
  <testcase name="[It] {SKIPPED}" classname="Kubernetes e2e suite" status="skipped" time="0.1">
    <skipped message="skipped - Requires at least 3 nodes (not 2)"></skipped>
  </testcase>
  <testcase name="[It] [sig-cli] not chosen" classname="Kubernetes e2e suite" status="skipped" time="0">
    <skipped message="skipped"></skipped>
  </testcase>
  <testcase name="[It] [sig-cli] broke" classname="Kubernetes e2e suite" status="panicked" time="2">
    <error message="nil" type="panicked">[PANICKED] nil</error>
  </testcase>
</testsuite></testsuites>
"""


def read_text(tmp_path: Path, text: str) -> Mapping[str, Result]:
    (tmp_path / "junit_01.xml").write_text(text, encoding="utf-8")
    return read(tmp_path / "junit_01.xml").cases


def test_each_case_that_ran_has_its_outcome_its_seconds_and_its_words(tmp_path: Path) -> None:
    assert read_text(tmp_path, FILE) == {
        PASSED: Result("passed", 4.5),
        FAILED: Result(
            "failed",
            31.0,
            "[FAILED] the service did not answer\n"
            "In [It] at: k8s.io/kubernetes/test/e2e/network/service.go:1 @ 11/30/26",
        ),
        SKIPPED: Result("skipped", 0.1, "Requires at least 3 nodes (not 2)"),
        "[sig-cli] broke": Result("failed", 2.0, "[PANICKED] nil"),
    }


def test_what_fails_outside_of_the_cases_is_told(tmp_path: Path) -> None:
    text = FILE.replace(
        '<testcase name="[SynchronizedBeforeSuite]" classname="Kubernetes e2e suite" status="passed" time="0.25">',
        '<testcase name="[SynchronizedBeforeSuite]" status="failed" time="9">'
        '<failure type="failed">[FAILED] no node is ready\nIn [SynchronizedBeforeSuite]</failure>',
    )
    (tmp_path / "junit_01.xml").write_text(text, encoding="utf-8")
    assert read(tmp_path / "junit_01.xml").around == ("[SynchronizedBeforeSuite]: [FAILED] no node is ready",)


def test_run_without_a_file_has_no_cases(tmp_path: Path) -> None:
    assert read(tmp_path / "junit_01.xml").cases == {}
