"""A test measures a server that is stopped, frozen and ended; both bounds are in its results and in the report."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from proving_ground.plugin.availability import Measured

pytest_plugins = ["pytester"]

CONFTEST = """
import os, signal, subprocess, sys
import pytest
from proving_ground.availability.probes import HttpProbe
from proving_ground.core.polling import NotReady, wait_until

class Server:
    def __init__(self):
        command = [sys.executable, "-u", "-m", "http.server", "--protocol", "HTTP/1.1", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().partition("(")[2].partition(")")[0]

    def send(self, number):
        self.process.send_signal(number)

@pytest.fixture
def server():
    server = Server()
    yield server
    server.send(signal.SIGKILL)
    server.process.wait()
    server.process.stdout.close()

@pytest.fixture
def until_failed():
    def wait(seen, name, times=1):
        def failed():
            if sum(not attempt.succeeded for attempt in seen.attempts[name]) < times:
                raise NotReady("not yet")
        wait_until("the probe has failed", failed, timeout=20, interval=0.01)
    return wait
"""

FROZEN = """
import signal
from proving_ground.availability.probes import HttpProbe, TcpProbe

def test_y(pg_availability, server, until_failed):
    new, kept = HttpProbe(server.url, timeout=0.3), HttpProbe(server.url, kept=True, timeout=0.3)
    steady = lambda: None
    with pg_availability({"kept connection": kept}, new=new, steady=steady, timeout=0.3) as seen:
        server.send(signal.SIGSTOP)
        until_failed(seen, "new", 2)
        server.send(signal.SIGCONT)
        seen.wait_for_answers(20)
    assert seen.gaps["steady"] == 0, seen.failures
    assert min(seen.gaps["new"], seen.gaps["kept connection"]) > 0.5, seen.failures
    seen.assert_gap(wanted=WANTED, most=20)
"""

ENDED = """
import signal
from proving_ground.availability.probes import HttpProbe

def test_y(pg_availability, server, until_failed):
    with pg_availability(read=HttpProbe(server.url)) as seen:
        server.send(signal.SIGKILL)
        until_failed(seen, "read")
    seen.assert_gap(wanted=5, most=10)
"""


def run(planned: pytest.Pytester, test: str) -> pytest.RunResult:
    planned.makeconftest(CONFTEST)
    planned.makepyfile(test_x=test)
    return planned.runpytest("-p", "no:cacheprovider", "--junitxml=junit.xml")


def junit(planned: pytest.Pytester) -> Measured:
    """What JUnit's results have of the one watch."""
    root = ElementTree.parse(planned.path / "junit.xml").getroot()
    (value,) = [each.attrib["value"] for each in root.iter("property") if each.attrib["name"] == "availability"]
    return Measured(**json.loads(value))


def report(planned: pytest.Pytester) -> str:
    return (planned.path / "artifacts" / "latest" / "report.html").read_text(encoding="utf-8")


def test_a_frozen_server_is_a_gap_of_new_and_kept_connections_and_of_no_other_probe(planned: pytest.Pytester) -> None:
    result = run(planned, FROZEN.replace("WANTED", "20"))
    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines(
        ["availability: 1 measured; test_x.py::test_y: longest gap * (wanted 20 s, red above 20 s)"]
    )
    found = junit(planned)
    assert (found.wanted, found.most, found.verdict) == (20, 20, "good")
    assert found.gaps["steady"] == 0
    assert "wanted 20 s, red above 20 s" in report(planned)


def test_a_gap_longer_than_wanted_is_a_finding_and_leaves_the_test_green(planned: pytest.Pytester) -> None:
    result = run(planned, FROZEN.replace("WANTED", "0.01"))
    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines(["*findings: 1 of 1 gaps longer than wanted*", "test_x.py::test_y: longest gap *"])
    assert junit(planned).verdict == "late"
    page = report(planned)
    assert "wanted 0.01 s, red above 20 s" in page
    assert "longer than wanted: a finding" in page


def test_a_server_that_does_not_come_back_fails_the_test_with_the_timeline(planned: pytest.Pytester) -> None:
    result = run(planned, ENDED)
    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: read: no answer for * s, and none until the end of the watch; wanted are 5 s, *",
            "*read: no answer for * s, from * s, not over at the end of the watch",
            "*asked at * s: ConnectionRefusedError: *",
        ]
    )
    assert junit(planned).verdict == "bad"
    assert re.search(r"asked at .* s: ConnectionRefusedError", report(planned))


def test_no_machine_and_nothing_else_is_needed(planned: pytest.Pytester) -> None:
    result = run(planned, "def test_y(pg_availability):\n    with pg_availability(read=lambda: None): pass")
    assert result.parseoutcomes() == {"passed": 1}
    assert junit(planned).wanted is None
    result.stdout.no_fnmatch_line("*findings*")
