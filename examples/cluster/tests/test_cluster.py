"""Every server shows the store's page, on its own port, to every other machine."""

import pytest

PORTS = {"web-01": 8080, "web-02": 8081, "all-in-one": 8080}


def page(host, url):
    return host.check_output(f"python3 -c 'import urllib.request as u; print(u.urlopen(\"{url}\").read().decode())'")


@pytest.mark.hosts("store")
def test_the_store_runs(host):
    assert host.service("store").is_running


@pytest.mark.hosts("frontends")
def test_each_server_shows_the_stores_page(host, pg_node):
    assert page(host, f"http://localhost:{PORTS[pg_node.name]}").strip() == "test first"


@pytest.mark.hosts("store")
def test_other_machines_reach_each_server_by_name(host, pg_topology):
    for node in pg_topology.group("web"):
        assert page(host, f"http://{node.name}:{PORTS[node.name]}").strip() == "test first"
