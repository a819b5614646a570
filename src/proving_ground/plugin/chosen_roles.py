"""With ``--pg-role``: run the tests of these roles, and of the others only the smoke tests."""

from __future__ import annotations

import shlex

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.options import given
from proving_ground.plugin.skip_unconverged import roles_of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the other tests; a role of which no test is collected is an error."""
    if roles := frozenset(shlex.split(given(config, "role"))):
        keep(config, items, of_roles(roles, items))


def of_roles(roles: frozenset[str], items: list[pytest.Item]) -> list[bool]:
    """Return which tests run: those of the roles, and smoke tests; ends pytest if no test is of a role."""
    known = frozenset().union(*(roles_of(item) for item in items))
    for role in sorted(roles - known):
        hint = nearest(role, sorted(known)) if known else "mark them: @pytest.mark.role(NAME)"
        end_with(UsageError(f"no test has the role {role!r} in its marker", where="--pg-role", hint=hint))
    return [bool(roles & roles_of(item)) or item.get_closest_marker("smoke") is not None for item in items]


def keep(config: pytest.Config, items: list[pytest.Item], chosen: list[bool]) -> None:
    """Deselect the tests that are not chosen."""
    config.hook.pytest_deselected(items=[item for item, kept in zip(items, chosen, strict=True) if not kept])
    items[:] = [item for item, kept in zip(items, chosen, strict=True) if kept]
