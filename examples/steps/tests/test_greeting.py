def test_a_converge_runs_once(host):
    assert host.file("/var/log/converges").content_string == "converged\n"
