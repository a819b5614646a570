"""What several tests of the harness start from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from proving_ground.plugin.options import OPTIONS

ROOT = Path(__file__).parents[1]
"""This repository."""

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
- {name: Second, hosts: kube_worker, roles: [network]}
- {name: Third, hosts: localhost, roles: [sample]}
"""

PYPROJECT = """
[tool.proving-ground]
steps = false

[tool.proving-ground.phases]
bottom = "First"
middle = "Second"
top = "Third"
"""


@pytest.fixture
def put_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a program before all others: ``put_on_path("ssh", text)``."""

    def put(name: str, text: str) -> None:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return put


@pytest.fixture
def planned(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with this project's default topology; what is asked of this run is not asked of its runs."""
    for name in ("CI", *(option.variable for option in OPTIONS)):
        monkeypatch.delenv(name, raising=False)
    pytester.makefile(".toml", pyproject="[tool.proving-ground]\nsteps = false")
    (pytester.path / "topology").mkdir()
    plan = (ROOT / "topology" / "default.yml").read_text(encoding="utf-8")
    (pytester.path / "topology" / "default.yml").write_text(plan, encoding="utf-8")
    run = pytester.inline_run

    def inline_run(*arguments: Any, **options: Any) -> Any:
        """Parses no source of tracebacks; pytest does even for an end that it tells in one line: 0.4 s each."""
        with monkeypatch.context() as patch:
            patch.setattr("_pytest._code.code.getstatementrange_ast", unparsed)
            return run(*arguments, **options)

    monkeypatch.setattr(pytester, "inline_run", inline_run)
    return pytester


def unparsed(*_: object, **__: object) -> NoReturn:
    """What pytest knows of source that it cannot parse: the line alone."""
    raise SyntaxError


@pytest.fixture
def phased(planned: pytest.Pytester) -> pytest.Pytester:
    """That project with a playbook of three plays, each of them a role and a phase."""
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makefile(".toml", pyproject=PYPROJECT)
    return planned
