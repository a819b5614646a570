"""The role's one promise: its service runs and serves the page."""


def test_the_service_serves_the_motto(host):
    assert host.service("motto").is_running
    assert host.service("motto").is_enabled
    page = host.check_output(
        "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://localhost:8080\").read())'"
    )
    assert "test first" in page
