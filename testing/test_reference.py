"""docs/reference.md names everything that a user can write, and nothing else, as the code has it."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import proving_ground
from proving_ground.cli.main import OF_COMMANDS, parser
from proving_ground.core.errors import HarnessError
from proving_ground.core.project import Project
from proving_ground.core.schema import SCHEMAS
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.core.topology import parse
from proving_ground.kubernetes import hookspecs as kubernetes_hookspecs
from proving_ground.kubernetes.plugin import MARKERS as OF_KUBERNETES
from proving_ground.plugin import hookspecs
from proving_ground.plugin.options import MARKERS, OPTIONS
from proving_ground.plugin.run import RUN, Run

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "proving_ground"

TYPES = {
    "bool": "true or false",
    "str": "text",
    "tuple[str, ...]": "list of texts",
    "tuple[tuple[str, str], ...]": "table of texts",
    "tuple[tuple[str, Any], ...]": "table",
}
"""What a setting's type is called; in TOML there are no tuples."""


def table(heading: str) -> list[list[str]]:
    """The cells of all rows of the tables below a heading, without the tables' own headings."""
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/reference.md has no heading {heading}"
    rows = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in found[1].splitlines()
        if line.startswith("| `")
    ]
    assert all(row[-1] for row in rows), "everything is explained"
    return rows


def column(heading: str, *numbers: int) -> list[tuple[str, ...]]:
    """Some columns of the table below a heading, without the marks of code, sorted."""
    return sorted(tuple(row[number].strip("`") for number in numbers) for row in table(heading))


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """All functions of the plugin, with the module that they are in."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def test_every_option_is_there_with_its_variable_and_its_default() -> None:
    said = [(option.flag, option.variable, option.default or "off") for option in OPTIONS]
    assert column("Options", 0, 1, 2) == sorted(said)


def written(default: object) -> str:
    """A default as the reference has it."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if default else "empty"


def test_every_setting_is_there_with_its_type_and_its_default() -> None:
    settings = []
    for field in fields(Project):
        assert field.default is not MISSING
        settings.append((field.name, TYPES[str(field.type)], written(field.default)))
    assert column("Settings", 0, 1, 2) == sorted(settings)


def test_every_key_of_a_topology_is_there_with_its_default() -> None:
    schema = json.loads((SCHEMAS / "topology.json").read_text(encoding="utf-8"))
    of_kinds = schema["$defs"]["machine"]["properties"]
    assert column("Topology", 0) == sorted(
        [*((key,) for key in schema["properties"]), *((f"machines.KIND.{key}",) for key in of_kinds)]
    )
    said = {name.rpartition(".")[2]: default for name, default in column("Topology", 0, 1) if "." in name}
    for key, rule in of_kinds.items():
        assert "default" not in rule or said[key] == written(rule["default"]), key


def test_every_marker_is_there() -> None:
    own = [(marker.partition(":")[0],) for marker in (*MARKERS, *OF_KUBERNETES)]
    assert column("Markers", 0) == sorted(own)


def test_every_fixture_is_there_with_its_scope_and_its_type() -> None:
    found = []
    for _, node in functions():
        for decorator in node.decorator_list:
            if (said := re.fullmatch(r"pytest\.fixture(?:\((.*)\))?", ast.unparse(decorator))) is not None:
                scope = re.search(r"scope='(\w+)'", said[1] or "")
                assert node.returns is not None
                made = re.sub(r"^Iterator\[(.*)\]$", r"\1", ast.unparse(node.returns))
                found.append((node.name, scope[1] if scope else "function", made))
    assert ("pg_topology", "session", "Topology") in found
    assert column("Fixtures", 0, 1, 2) == sorted(set(found))  # those of a cluster are made in either of two ways


def test_every_fixture_has_an_example_and_examples_use_no_other() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    examples = text.partition("### Examples of fixtures\n")[2].partition("\n## ")[0]
    used, own = set[str](), set[str]()
    for block in re.findall(r"^```python\n(.*?)^```$", examples, flags=re.DOTALL | re.MULTILINE):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.FunctionDef):
                used |= {argument.arg for argument in node.args.args}
                own |= {node.name}
    named = {name for (name,) in column("Fixtures", 0)}
    assert named - used == set()
    assert used - named - own == {"mesh"}, "a fixture of the reader's own, which the example explains"


def test_every_hook_is_there() -> None:
    hooks = [(node.name,) for path, node in functions() if path.name == "hookspecs.py"]
    assert ("pytest_proving_ground_sections",) in hooks
    assert column("Hooks", 0) == sorted(hooks)


def test_the_examples_of_hooks_are_hooks_and_do_what_they_say(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    block = re.search(r"^### Examples of hooks\n\n```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    assert block is not None
    example = ModuleType("example")
    exec(block[1], example.__dict__)
    manager = pytest.PytestPluginManager()
    for specifications in (hookspecs, kubernetes_hookspecs):
        manager.add_hookspecs(specifications)
    manager.register(example)
    manager.check_pending()  # raises for a hook, or an argument, that there is not
    assert sorted(name for name in vars(example) if name.startswith("pytest_")) == [
        name for (name,) in column("Hooks", 0)
    ]
    settings = Settings(tmp_path, "run")
    settings.artifacts.mkdir(parents=True)
    plan = parse("topology", {"machines": {"db": {}, "masters": {}}})
    config: Any = SimpleNamespace(stash=pytest.Stash())
    config.stash[RUN] = Run(config, settings, plan, Timeline.of(settings))
    called = manager.hook
    (collected,) = called.pytest_proving_ground_collectors(item=SimpleNamespace(config=config))
    assert [each.name for each in collected] == ["database"]
    ((check,),) = called.pytest_proving_ground_health_checks(config=config)
    assert [str(finding) for finding in check.read("core.1")] == ["db-01: crash: postgresql: core.1"]
    ((section,),) = called.pytest_proving_ground_sections(config=config)
    assert [cell.row for cell in section.grids[0].cells] == ["db-01", "masters-01"]
    assert called.pytest_proving_ground_kubernetes_nodes(config=config) == ["masters-01"]
    called.pytest_proving_ground_report(session=SimpleNamespace(config=config, testsfailed=2))
    assert (settings.artifacts / "failed.txt").read_text(encoding="utf-8") == "2\n"


def commands(top: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """All commands of the command line, with what reads their own arguments."""
    groups = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield above, top
    for group in groups:
        for name, each in group.choices.items():
            yield from commands(each, f"{above} {name}".strip())


def test_every_command_is_there_with_its_own_options() -> None:
    known = dict(commands(parser()))
    assert {"up", "depot fill"} <= set(known)
    assert column("Commands", 0) == sorted((name,) for name in known)
    words = {row[0].strip("`"): " ".join(row) for row in table("Commands")}
    common = {"--help", *(f"--{name}" for name in OF_COMMANDS)}
    for name, each in known.items():
        own = {word for action in each._actions for word in action.option_strings if word.startswith("--")} - common
        assert set(re.findall(r"`(--[a-z-]+)", words[name])) == own, name


def kinds(top: type[HarnessError]) -> Iterator[type[HarnessError]]:
    """An error's class and all that are made of it."""
    yield top
    for each in top.__subclasses__():
        yield from kinds(each)


def test_every_exit_code_is_there_with_its_error() -> None:
    for module in pkgutil.walk_packages(proving_ground.__path__, "proving_ground."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)  # or its errors are known only where another test has imported it
    found = [kind for kind in kinds(HarnessError) if kind.__module__.startswith("proving_ground.")]
    own = [(str(kind.exit_code), kind.__name__) for kind in found]
    assert len(own) > 5
    assert column("Exit codes", 0, 1) == sorted(own)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        *sorted(
            path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts
        ),
    ],
)
def test_documents_name_no_option_that_there_is_not(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert set(re.findall(r"--pg-[a-z-]*[a-z]", text)) <= {option.flag for option in OPTIONS}
    assert set(re.findall(r"\bPG_[A-Z_]*[A-Z]", text)) <= {option.variable for option in OPTIONS} | {
        "PG_VAGRANT_PLUGIN"
    }
