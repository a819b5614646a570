def test_the_machine_is_up_and_has_its_name(host):
    assert host.check_output("hostname") == "web-01"
    assert host.check_output("systemctl is-system-running") == "running"
