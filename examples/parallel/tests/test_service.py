"""The service comes back whatever happens to it."""

import pytest

from proving_ground.core.polling import NotReady


def test_the_service_starts_with_the_machine(host):
    assert host.service("page").is_enabled


@pytest.mark.disruptive
def test_the_service_comes_back_after_a_crash(host, pg_timeouts):
    before = host.check_output("systemctl show --property=MainPID --value page")

    def is_back():
        now = host.check_output("systemctl show --property=MainPID --value page")
        if now in {before, "0"}:
            raise NotReady(f"its process is {now}")

    host.check_output("systemctl kill --signal=KILL page")
    pg_timeouts.wait_until("the service has a new process", is_back, timeout=20)
