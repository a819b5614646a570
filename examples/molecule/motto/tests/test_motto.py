READ = "import urllib.request as it; print(it.urlopen('http://localhost:8888').read().decode())"


def test_the_port_is_the_groups_and_the_text_is_the_hosts(host):
    assert "found by migrate" in host.check_output("python3 -c %s", READ)
