"""Tests written for pytest-ansible run after one line in conftest.py."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.template import Templar

KEPT = (InventoryManager, Templar)
"""Imported here, since Ansible cannot be imported twice: pytest in this process forgets what a run has imported."""

pytest_plugins = ["pytester"]

HOSTS = f"""
[web]
one
two
[web:vars]
ansible_connection=local
ansible_python_interpreter={sys.executable}
[gone]
three ansible_host=127.0.0.1 ansible_port=1
"""
LINE = 'pytest_plugins = ["proving_ground.compat.pytest_ansible"]'
TESTS = """
import pytest
from proving_ground.compat.errors import AnsibleConnectionFailure, AnsibleModuleError


def test_module(ansible_module):
    contacted = ansible_module.command("echo hello")
    assert len(ansible_module) == len(contacted) == 2
    for host, result in contacted.items():
        assert result.is_changed, host
        assert result["stdout"] == "hello"
    failed = ansible_module.shell("exit 3")
    assert failed.one.is_failed and failed.one["rc"] == 3 and failed["two"]["failed"]


def test_adhoc(ansible_adhoc, tmp_path):
    hosts = ansible_adhoc()
    assert len(hosts) == 3
    assert "web" in hosts and hasattr(hosts, "gone") and "four" not in hosts
    assert hosts["web:!one"].ping(data="hi")["two"]["ping"] == "hi"
    assert [len(hosts[0]), len(hosts[0:1]), len(hosts.all)] == [1, 2, 3]
    pings = [host.ping() for host in hosts]
    assert [(list(ping), ping.values()[0].is_ok) for ping in pings] == [(["one"], True), (["two"], True)]
    with pytest.raises(KeyError):
        hosts["four"]
    dry = ansible_adhoc(check=True).one.copy(dest=str(tmp_path / "x"), content="x")
    assert dry.one.is_changed and not list(tmp_path.iterdir())


def test_unreachable(ansible_adhoc):
    with pytest.raises(AnsibleConnectionFailure) as caught:
        ansible_adhoc().all.ping()
    contacted, dark = caught.value.results
    assert set(contacted) == {"one", "two"} and set(dark) == {"three"}
    assert "refused" in str(caught.value)


def test_no_such_module(ansible_module):
    with pytest.raises(AnsibleModuleError, match="pnig"):
        ansible_module.pnig()


def test_facts(ansible_facts):
    for facts in ansible_facts.values():
        assert facts["ansible_facts"]["ansible_system"] == "Linux"


@pytest.mark.ansible(host_pattern="local,", connection="local")
def test_marker(ansible_module):
    assert "local" in ansible_module.command("true")


def test_localhost(localhost):
    assert localhost.command("true").localhost.is_successful


def test_host(ansible_host):
    assert len(ansible_host) == 1


def test_group(ansible_group):
    assert len(ansible_group)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("ANSIBLE_SSH_CONTROL_PATH_DIR", "/tmp")  # a socket's path has to be short
    pytester.makefile(".ini", hosts=HOSTS)
    pytester.makeconftest(LINE)
    pytester.makepyfile(test_x=TESTS)
    return pytester


def test_the_fixtures_do_what_those_of_pytest_ansible_do(project: pytest.Pytester) -> None:
    result = project.runpytest("-p", "no:cacheprovider", "--inventory", "hosts.ini", "--host-pattern", "web", "-rA")
    result.assert_outcomes(passed=7 + 2 + 3)
    result.stdout.fnmatch_lines_random(["PASSED test_x.py::test_host?one?", "PASSED test_x.py::test_group?gone?"])


def test_the_names_with_a_prefix_mean_the_same_beside_testinfra(project: pytest.Pytester) -> None:
    words = ["--ansible-inventory=hosts.ini", "--ansible-host-pattern=one", "--collect-only", "-q", "-k", "test_host"]
    result = project.runpytest("-p", "no:cacheprovider", *words)
    assert [line for line in result.outlines if "::" in line] == ["test_x.py::test_host[one]"]


def test_options_reach_ansible(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_x="""
        def test_words(ansible_adhoc):
            options = ansible_adhoc(user="me").options
            assert options.become and options.check
            assert options.arguments[1:] == ["--user=me", "--become-user=you", "--limit='web:!one'"]
            assert options.names("all") == ["two"]
        """
    )
    words = ["--inventory=hosts.ini", "--become", "--become-user=you", "--check", "--limit=web:!one", "--user=other"]
    project.runpytest("-p", "no:cacheprovider", *words).assert_outcomes(passed=1)


def test_in_a_project_modules_run_on_its_machines(project: pytest.Pytester) -> None:
    project.makefile(".toml", pyproject='[tool.proving-ground]\ninventory = "hosts.ini"')
    project.makepyfile(
        test_x="""
        def test_machines(ansible_module, ansible_adhoc, request):
            assert set(ansible_module.ping()) == {"one", "two"}
            assert len(ansible_module) == 2
            assert set(ansible_adhoc(subset="one:gone").all.ping()) == {"one", "two"}, "not beyond the run's limit"
            assert "pg_converged" in request.fixturenames
        """
    )
    project.runpytest("-p", "no:cacheprovider", "--pg-limit", "web").assert_outcomes(passed=1)


def test_it_is_silent_while_pytest_ansible_is_loaded(project: pytest.Pytester) -> None:
    other = ModuleType("other")
    exec("import pytest\n@pytest.fixture\ndef ansible_module(): return 'the original'", other.__dict__)

    class Loads:
        @staticmethod
        @pytest.hookimpl(tryfirst=True)
        def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
            early_config.pluginmanager.register(other, "pytest-ansible")

    project.makepyfile(test_x="def test_original(ansible_module): assert ansible_module == 'the original'")
    project.inline_run("-p", "no:cacheprovider", plugins=[Loads]).assertoutcome(passed=1)
    result = project.inline_run("-p", "no:cacheprovider", "--host-pattern=web", plugins=[Loads])
    assert result.ret == pytest.ExitCode.USAGE_ERROR, "it has no options then"
