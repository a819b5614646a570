"""This repository's faults: each can be read, and names roles, tests and machines that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from proving_ground.ansible.patterns import Patterns
from proving_ground.core.topology import load
from proving_ground.faults.catalogue import CONTROLLER, Fault, catalogue

ROOT = Path(__file__).parents[1]
FAULTS = catalogue(ROOT / "faults")


def test_there_are_sixty_faults() -> None:
    assert len(FAULTS) >= 60


def exists(nodeid: str) -> bool:
    """Return whether a file of tests has the function that the beginning of a node identifier names."""
    name, _, function = nodeid.partition("::")
    if not (ROOT / name).is_file():
        return False
    functions = {
        node.name
        for node in ast.parse((ROOT / name).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    return not function or function.partition("[")[0] in functions


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_fault_names_what_there_is(fault: Fault) -> None:
    assert [role for role in fault.roles if not (ROOT / "roles" / role).is_dir()] == []
    assert [nodeid for nodeid in (*fault.red, *fault.green) if not exists(nodeid)] == []
    assert fault.machine == CONTROLLER or Patterns(load(ROOT / "topology", "default")).hosts(fault.machine)
