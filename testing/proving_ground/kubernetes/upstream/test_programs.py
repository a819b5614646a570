"""Upstream's programs list their cases and images, and get a command line that runs exactly the chosen cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proving_ground.core.errors import DepotError
from proving_ground.kubernetes.upstream.programs import Cluster, Programs, exactly

E2E = """#!/bin/sh
case "$1" in
--list-tests) cat <<'END'
I1130 02:00:00.000000       1 e2e.go:109] Starting e2e run "x" on Ginkgo node 1
The following spec names can be used with 'ginkgo run --focus/skip':
    e2e/node/pods.go:12: [sig-node] Pods should run: at once [Conformance]
    k8s.io/kubernetes@v1.37.2/test/e2e/network/dns.go:3: [sig-network] DNS should answer
END
;;
--list-images) printf 'registry.k8s.io/pause:3.10\\nregistry.k8s.io/e2e-test-images/agnhost:2.66.1\\n' ;;
*) echo "flag provided but not defined: $1" >&2; exit 2 ;;
esac
"""
CLUSTER = Cluster(Path("/run/kubeconfig"), "admin", Path("/depot/bin/kubectl"))


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "e2e.test"
    program.write_text(E2E, encoding="utf-8")
    program.chmod(0o755)
    return Programs(tmp_path / "bin")


def test_cases_are_listed_by_their_whole_names(programs: Programs) -> None:
    assert programs.cases() == [
        "[sig-node] Pods should run: at once [Conformance]",
        "[sig-network] DNS should answer",
    ]


def test_images_are_listed_by_their_references(programs: Programs) -> None:
    assert programs.images() == ["registry.k8s.io/e2e-test-images/agnhost:2.66.1", "registry.k8s.io/pause:3.10"]


def test_program_that_lists_nothing_is_an_error(programs: Programs) -> None:
    (programs.directory / "e2e.test").write_text("#!/bin/sh\n", encoding="utf-8")
    with pytest.raises(DepotError, match=r"e2e\.test --list-tests lists nothing"):
        programs.cases()


def test_pattern_of_a_case_fits_it_and_no_longer_one() -> None:
    name = r"[sig-cli] Kubectl should (re)use a+b.c {x} ^|$ C:\dir* ? [Conformance]"
    assert re.search(exactly(name), f"Kubernetes e2e suite {name}")
    assert not re.search(exactly(name), f"Kubernetes e2e suite {name} [Slow]")
    assert not re.search(exactly("[sig-cli] a.c"), "Kubernetes e2e suite [sig-cli] abc")
    assert exactly("a-b c") == " a-b c$", "Go's patterns know fewer escapes than Python's"


def test_command_line_runs_the_chosen_cases_in_parallel_and_nothing_else(programs: Programs, tmp_path: Path) -> None:
    command = programs.command(CLUSTER, ["[a] one", "[b] two"], processes=4, seconds=5400.2, report=tmp_path)
    own, theirs = command[: command.index("--")], command[command.index("--") + 1 :]
    assert own[0] == str(programs.directory / "ginkgo")
    assert own[-1] == str(programs.directory / "e2e.test")
    assert {"--procs=4", "--timeout=5400s", "--no-color"} <= set(own)
    assert [word for word in own if word.startswith("--focus=")] == [r"--focus= \[a\] one$", r"--focus= \[b\] two$"]
    assert set(theirs) == {
        "--provider=skeleton",
        "--kubeconfig=/run/kubeconfig",
        "--context=admin",
        "--kubectl-path=/depot/bin/kubectl",
        f"--report-dir={tmp_path}",
    }


def test_command_line_leaves_the_context_to_the_kubeconfig_if_there_is_none(programs: Programs, tmp_path: Path) -> None:
    cluster = Cluster(Path("/run/kubeconfig"), None, Path("/depot/bin/kubectl"))
    command = programs.command(cluster, ["[a] one"], processes=1, seconds=60, report=tmp_path)
    assert not any(word.startswith("--context") for word in command)
