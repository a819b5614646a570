"""What the plugin's source may not become: long functions and modules, or one that knows this repository."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "proving_ground"
LONGEST_FUNCTION, LONGEST_MODULE = 60, 250

OWN_WORDS_OF_KUBERNETES = frozenset({"ca", "core", "kubectl"})
"""What the extra for clusters calls X.509's, Kubernetes' and its program's own things; ours have the same names."""

WORDS_OF_THE_BENCHMARK = frozenset({"etcd", "kube-node"})
"""Parts of every cluster that the CIS benchmark is about: etcd, and Kubernetes' own namespace kube-node-lease."""

WORDS_OF_LEASES = frozenset({"kube-node"})
"""Of Kubernetes' own namespace kube-node-lease, in which nodes show that they live."""

ORDINARY_WORDS = frozenset({"cluster"})
"""Words that anybody needs, and that a role of ours is called: only with its directory are they its name."""


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for length in [(node.end_lineno or node.lineno) - node.lineno + 1]
        if length > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_module_is_longer_than_250_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert len(lengths) > 50, "this looks at the plugin's source"
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def own_names() -> set[str]:
    """Names of this repository: its roles, the kinds and groups of its topologies, its machines' user."""
    roles = [path for path in (ROOT / "roles").glob("*/*") if path.is_dir()]
    names = {f"{path.parent.name}/{path.name}" for path in roles} | {path.name for path in roles} - ORDINARY_WORDS
    for path in (ROOT / "topology").glob("*.yml"):
        plan: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for kind, entry in plan["machines"].items():
            names |= {kind, *entry["groups"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["proving-ground"]
    return names | {project["user"]}


def test_the_plugin_names_nothing_of_this_repository() -> None:
    names = own_names()
    assert {"kube-worker", "kube_worker", "etcd", "guestbook", "configure/etcd", "core"} <= names, (
        "they are where they are looked for"
    )
    found = []
    for path in SOURCE.rglob("*"):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        allowed = OWN_WORDS_OF_KUBERNETES if path.is_relative_to(SOURCE / "kubernetes") else frozenset()
        if path.is_relative_to(SOURCE / "kubernetes" / "benchmark"):
            allowed |= WORDS_OF_THE_BENCHMARK
        if path.is_relative_to(SOURCE / "kubernetes" / "simulated_nodes"):
            allowed |= WORDS_OF_LEASES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.match(r"\s*(from|import) ", line):  # names of the plugin's own packages
                continue
            words = {name for name in names - allowed if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", line)}
            found += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in sorted(words)]
    assert found == []
