"""The guestbook: every part of it is there, and what is written in one place is read in all others."""

from __future__ import annotations

import json
import secrets
import socket
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

import pytest

from fixtures.mesh import Mesh
from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import Pod, ended_with_machine, wait_for_pods
from proving_ground.kubernetes.port_forward import Endpoint, PortForward
from proving_ground.kubernetes.reachability import NewTable, Outcome

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = [pytest.mark.order(130), pytest.mark.role("samples/guestbook")]

NAMESPACE = "guestbook"
PARTS = {"frontend": 3, "redis-master": 1, "redis-slave": 2}
SELECTORS = {
    "frontend": "app=guestbook,tier=frontend",
    "redis-master": "app=redis,role=master",
    "redis-slave": "app=redis,role=slave",
}


def pods(kube: Kube, part: str) -> list[Pod]:
    """The part's pods, as many as there have to be, all ready."""
    return wait_for_pods(kube, NAMESPACE, PARTS[part], selector=SELECTORS[part], timeout=10)


def call(endpoint: Endpoint, **query: str) -> str:
    """The JSON interface of the original: ``cmd``, ``key`` and perhaps ``value``; returns ``data``."""
    with urllib.request.urlopen(
        f"{endpoint.url}/guestbook.php?{urllib.parse.urlencode(query)}", timeout=endpoint.timeouts.seconds(10)
    ) as response:
        return str(json.load(response).get("data", ""))


def sign(endpoint: Endpoint, entry: str) -> None:
    body = urllib.parse.urlencode({"entry": entry}).encode()
    request = urllib.request.Request(f"{endpoint.url}/", body, {"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=endpoint.timeouts.seconds(10)) as response:
        assert response.status in {200, 201}


def shows(endpoint: Endpoint, entry: str) -> str:
    """All entries, once ``entry`` is among them."""

    def probe() -> str:
        entries = call(endpoint, cmd="get", key="messages")
        if entry not in entries:
            raise NotReady(f"its entries are {entries!r}")
        return entries

    what = f"the frontend at port {endpoint.port} shows {entry!r}"
    return endpoint.timeouts.wait_until(what, probe, timeout=10, interval=0.1)


def redis(endpoint: Endpoint, *words: str) -> str:
    """Redis' answer to one command: a text, or a status or error with its sign (``+``, ``-``)."""
    with socket.create_connection((endpoint.host, endpoint.port), timeout=endpoint.timeouts.seconds(5)) as connection:
        connection.sendall(f"{' '.join(words)}\r\n".encode())
        with connection.makefile("rb") as answer:
            head = answer.readline().decode().rstrip()
            return answer.read(int(head[1:])).decode() if head.startswith("$") and head != "$-1" else head


@pytest.mark.smoke
@pytest.mark.parametrize("part", PARTS)
def test_guestbook_has_all_its_replicas_of(pg_kube: Kube, part: str) -> None:
    deployment = pg_kube.apps.read_namespaced_deployment(part, NAMESPACE)
    assert deployment.spec.replicas == PARTS[part]
    assert len(pods(pg_kube, part)) == PARTS[part]


@pytest.mark.parametrize("part", PARTS)
def test_guestbook_has_lost_nothing_of(pg_kube: Kube, part: str) -> None:
    """What died has been replaced within a second or two; counts of restarts and events still tell.

    A machine that starts anew takes its containers with it; that is nothing of the guestbook's.
    """
    present = pods(pg_kube, part)
    lost = [
        f"{pod.metadata.name} has restarted {status.restart_count} times, last: {ended.reason} {ended.exit_code}"
        for pod in present
        for status in pod.status.container_statuses
        if (ended := status.last_state.terminated) is not None and not ended_with_machine(ended.exit_code, ended.reason)
    ]
    # Pods of an earlier rollout have another prefix, and are no loss.
    generations = {pod.metadata.owner_references[0].name for pod in present}
    lost += [
        f"{event.involved_object.name} was killed at {event.last_timestamp}: {event.message}"
        for event in pg_kube.core.list_namespaced_event(NAMESPACE, field_selector="reason=Killing").items
        if event.involved_object.name.rpartition("-")[0] in generations
    ]
    assert lost == [], f"`kubectl rollout restart deployment/{part}` starts anew"


def test_guestbook_entry_written_through_one_frontend_is_read_from_every_other(
    pg_kube: Kube, pg_port_forward: PortForward
) -> None:
    first, *others = [pg_port_forward(NAMESPACE, f"pod/{pod.metadata.name}", 80) for pod in pods(pg_kube, "frontend")]
    entry = f"written-{secrets.token_hex(4)}"
    sign(first, entry)
    assert others, "there is no other frontend"
    for other in others:
        shows(other, entry)


def test_guestbook_entry_lies_on_every_slave(pg_kube: Kube, pg_port_forward: PortForward) -> None:
    entry = f"kept-{secrets.token_hex(4)}"
    sign(pg_port_forward(NAMESPACE, "service/frontend", 80), entry)
    for pod in pods(pg_kube, "redis-slave"):
        slave = pg_port_forward(NAMESPACE, f"pod/{pod.metadata.name}", 6379)

        def holds(slave: Endpoint = slave) -> None:
            stored = redis(slave, "GET", "messages")
            if entry not in stored:
                raise NotReady(f"it holds {stored!r}")

        pg_kube.timeouts.wait_until(f"{pod.metadata.name} holds {entry!r}", holds, timeout=10, interval=0.1)
        assert "role:slave" in redis(slave, "INFO", "replication")


def test_guestbook_slave_takes_no_entries_of_its_own(pg_kube: Kube, pg_port_forward: PortForward) -> None:
    slave = pg_port_forward(NAMESPACE, f"pod/{pods(pg_kube, 'redis-slave')[0].metadata.name}", 6379)
    assert redis(slave, "SET", "messages", "forged").startswith("-READONLY")


@pytest.mark.xdist_group("mesh")
def test_redis_answers_nobody_but_the_guestbook(mesh: Mesh, pg_kube: Kube, pg_reachability: NewTable) -> None:
    frontend, master = (pg_kube.core.read_namespaced_service(name, NAMESPACE) for name in ("frontend", "redis-master"))
    targets = {"the guestbook": f"{frontend.spec.cluster_ip}:80", "redis-master": f"{master.spec.cluster_ip}:6379"}
    for pod in (*pods(pg_kube, "redis-master"), *pods(pg_kube, "redis-slave")):
        targets[pod.metadata.name] = f"{pod.status.pod_ip}:6379"
    table = pg_reachability("pods of others, the guestbook and its Redis")
    for source in mesh.pods:
        for target in targets:
            outcome = Outcome.CONNECTED if target == "the guestbook" else Outcome.BLOCKED
            table.expect(source.name, target, outcome)
    table.check(mesh.probes.prober(targets))


def test_guestbook_works_in_a_browser(pg_kube: Kube, pg_port_forward: PortForward, pg_browser: WebDriver) -> None:
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    entry = f"Hello, world! <{secrets.token_hex(4)}>"

    def listed(driver: WebDriver) -> bool:
        return entry in [item.text for item in driver.find_elements(By.CSS_SELECTOR, "#entries li")]

    first, second = (
        pg_port_forward(NAMESPACE, f"pod/{pod.metadata.name}", 80) for pod in pods(pg_kube, "frontend")[:2]
    )
    # The page replaces its list while it is read.
    wait = WebDriverWait(
        pg_browser,
        pg_kube.timeouts.seconds(10),
        poll_frequency=0.1,
        ignored_exceptions=[StaleElementReferenceException],
    )
    pg_browser.get(first.url)
    assert pg_browser.title == "Guestbook"
    assert not listed(pg_browser)
    pg_browser.find_element(By.ID, "entry").send_keys(entry)
    pg_browser.find_element(By.ID, "submit").click()
    wait.until(listed, f"the page does not show {entry!r}")
    served_by = pg_browser.find_element(By.ID, "served-by").text

    def listed_anew(driver: WebDriver) -> bool:
        driver.get(second.url)
        return listed(driver)

    wait.until(listed_anew, f"another frontend does not show {entry!r}")
    assert pg_browser.find_element(By.ID, "served-by").text != served_by
