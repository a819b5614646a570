"""What the package's source may not do in somebody else's pytest, and how its fixtures are called."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import proving_ground

SOURCE = Path(proving_ground.__file__).parent

NOT_OURS = ("gc", "_pytest", "faulthandler")
"""Modules that nothing here may import: the garbage collector, pytest's inside, the handler that pytest installs."""

OF_THE_INTERPRETER = (
    *("setrecursionlimit", "setswitchinterval", "settrace", "setprofile", "set_int_max_str_digits"),
    *("excepthook", "unraisablehook", "displayhook", "breakpointhook", "meta_path", "path_hooks", "addaudithook"),
)
"""Attributes of ``sys`` that are everybody's."""


def patches(tree: ast.AST) -> Iterator[str]:
    """Places in a module that change what is not its own."""
    imported, functions = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            if taken := {name.partition(".")[0] for name in names} & set(NOT_OURS):
                yield f"{node.lineno}: imports {taken.pop()}"
            imported |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.add(node.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sys" and node.attr in OF_THE_INTERPRETER:
            yield f"{node.lineno}: {ast.unparse(node)} is the interpreter's"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"setattr", "delattr"}:
            yield f"{node.lineno}: {ast.unparse(node)}"
        for target in targets(node):
            owner, value = ast.unparse(target.value).partition(".")[0], getattr(node, "value", None)
            if owner in imported:
                yield f"{target.lineno}: changes {ast.unparse(target)}, which it has imported"
            elif isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in functions):
                yield f"{target.lineno}: replaces {ast.unparse(target)} by a function"


def targets(node: ast.AST) -> list[ast.Attribute]:
    """The attributes that a statement assigns to or deletes, those of ``self`` left out."""
    found: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        found = [each for target in node.targets for each in getattr(target, "elts", [target])]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        found = [node.target]
    return [
        each for each in found if isinstance(each, ast.Attribute) and ast.unparse(each.value) not in {"self", "cls"}
    ]


def fixtures(tree: ast.AST) -> Iterator[str]:
    """Names of the fixtures that a module defines."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            call = decorator if isinstance(decorator, ast.Call) else None
            if ast.unparse(call.func if call else decorator) in {"pytest.fixture", "fixture"}:
                words = {word.arg: word.value for word in (call.keywords if call else [])}
                yield str(ast.literal_eval(words["name"])) if "name" in words else getattr(node, "name", "")


def found_in_source(look: Callable[[ast.AST], Iterator[str]]) -> list[tuple[str, str]]:
    """File and finding, of all files of the package."""
    return [
        (str(file.relative_to(SOURCE)), finding)
        for file in sorted(SOURCE.rglob("*.py"))
        for finding in look(ast.parse(file.read_text(encoding="utf-8")))
    ]


def test_nothing_of_pytest_xdist_or_the_interpreter_is_changed() -> None:
    assert found_in_source(patches) == []


@pytest.mark.parametrize(
    "source",
    [
        "import gc",
        "from _pytest.terminal import TerminalReporter",
        "import _pytest.config as c",
        "import sys\nsys.setrecursionlimit(5000)",
        "import sys\nsys.excepthook = None",
        "import vagrant\nvagrant.which = None",
        "from xdist.dsession import DSession\nDSession.loop_once = None",
        "import pytest\nsetattr(pytest, 'x', 1)",
        "def f(terminal):\n    def write(): ...\n    terminal.write = write",
        "def f(config): config.hook.x = lambda: None",
        "import pytest\npytest.exit.__module__, x = 'a', 'b'",
        "import pytest\ndel pytest.exit",
    ],
)
def test_a_patch_is_found(source: str) -> None:
    assert list(patches(ast.parse(source)))


@pytest.mark.parametrize("source", ["def f(session): session.exitstatus = 3", "class A:\n    def f(self): self.x = f"])
def test_what_is_meant_to_be_set_is_no_patch(source: str) -> None:
    assert list(patches(ast.parse(source))) == []


def test_fixtures_carry_the_prefix_but_for_host() -> None:
    # Those of compat have the names that other plugins gave them.
    names = [name for path, name in found_in_source(fixtures) if "compat" not in Path(path).parts]
    assert "pg_hosts" in names
    assert [name for name in names if not name.startswith("pg_")] == ["host"]


def test_a_fixture_is_found_by_either_name() -> None:
    source = "@pytest.fixture\ndef a(): ...\n@pytest.fixture(scope='session', name='b')\ndef c(): ..."
    assert list(fixtures(ast.parse(source))) == ["a", "b"]
