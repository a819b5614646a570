"""A play's hosts are those that Ansible itself would run it on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proving_ground.ansible.inventory import inventory
from proving_ground.ansible.patterns import Patterns
from proving_ground.core import topology
from proving_ground.core.errors import ConvergeError

ROOT = Path(__file__).parents[3]
PLAN = topology.load(ROOT / "topology", "default")

ETCD, MASTER, WORKERS = "etcd-01", "kube-master-01", ("kube-worker-01", "kube-worker-02")

EXPECTED = {
    "etcd": (ETCD,),
    "kube_worker:etcd": (ETCD, *WORKERS),
    "etcd, kube_master": (ETCD, MASTER),
    "all": (ETCD, MASTER, *WORKERS),
    "nodes": (ETCD, MASTER, *WORKERS),
    "localhost": ("localhost",),
    "kube-worker-02": ("kube-worker-02",),
    "nodes:!etcd": (MASTER, *WORKERS),
    "all:!kube_*": (ETCD,),
    "kube_worker:&nodes:!kube-worker-01": ("kube-worker-02",),
    "kube-worker-*": WORKERS,
    "kube_worker[0]": ("kube-worker-01",),
    "kube_worker[0:1]": WORKERS,
    "kube_worker[-1],etcd": (ETCD, "kube-worker-02"),
    "~kube-(master|worker)-01": (MASTER, "kube-worker-01"),
    "ungrouped": (),
    "kube_worker:localhost": (*WORKERS, "localhost"),
    "moon": (),
    "moon:etcd": (ETCD,),
}


@pytest.mark.parametrize("pattern", EXPECTED)
def test_a_pattern_means_the_hosts_that_it_means_to_ansible(pattern: str) -> None:
    assert Patterns(PLAN).hosts(pattern) == EXPECTED[pattern]


def test_ansible_itself_says_the_same(tmp_path: Path) -> None:
    """All patterns at once, since Ansible takes a second to begin."""
    text = inventory(
        PLAN,
        user="root",
        python="python3",
        connections={node.name: {} for node in PLAN.nodes},
        common={},
    )
    (tmp_path / "inventory.yml").write_text(text, encoding="utf-8")
    plays = "".join(f"- hosts: {json.dumps(pattern)}\n" for pattern in EXPECTED)
    (tmp_path / "site.yml").write_text(plays, encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "--list-hosts", "-i", "inventory.yml", "site.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    parts = done.stdout.split("\n  play #")[1:]
    said = [{line.strip() for line in part.splitlines()[3:] if line.strip()} for part in parts]
    assert dict(zip(EXPECTED, said, strict=True)) == {pattern: set(hosts) for pattern, hosts in EXPECTED.items()}


def test_a_list_of_patterns_is_as_one() -> None:
    assert Patterns(PLAN).hosts(["kube_worker", "etcd"]) == (ETCD, *WORKERS)
    assert Patterns(PLAN).hosts(["kube_worker", "!kube-worker-01"]) == ("kube-worker-02",)


def test_what_is_known_only_when_ansible_runs_is_nobody() -> None:
    assert Patterns(PLAN).hosts("{{ chosen }}") == ()


def test_a_pattern_that_is_none_is_an_error_that_names_it() -> None:
    with pytest.raises(ConvergeError, match=r"hosts '~\(': Ansible does not understand it: "):
        Patterns(PLAN).hosts("~(")


def test_names_alone_do_not_load_ansible() -> None:
    """Who only collects tests does not pay for it."""
    program = f"""
import sys
from pathlib import Path
from proving_ground.ansible.patterns import Patterns
from proving_ground.ansible.playbook import steps
from proving_ground.core.topology import load, parse
assert Patterns(parse("other", {{"machines": {{"web": {{}}}}}})).hosts("moon:web") == ("web-01",)
assert steps(Path({str(ROOT / "kubernetes.yml")!r}), load(Path({str(ROOT / "topology")!r}), "default"))
print(sorted(name for name in sys.modules if name.partition(".")[0] == "ansible"))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
