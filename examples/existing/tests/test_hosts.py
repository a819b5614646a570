import pytest


def test_somebody_can_log_in(host):
    assert host.run("true").succeeded


@pytest.mark.hosts("web")
def test_the_host_is_a_server_of_its_group(host):
    assert host.file("/etc/ssh/sshd_config").exists
    assert host.ansible.get_variables()["group_names"] == ["web"]
