"""Find the roles that the chosen tests need, so that a converge can stop after their phase."""

from __future__ import annotations

import pytest

from proving_ground.plugin.run import run_of
from proving_ground.plugin.skip_unconverged import GUARD, roles_of


def roles_needed(item: pytest.Item) -> frozenset[str] | None:
    """Return the roles that a test needs; None for all roles, if a test of converged machines names none."""
    names: list[str] = getattr(item, "fixturenames", [])
    if GUARD in names:
        return roles_of(item) or None
    return None if "pg_converged" in names else frozenset()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Store the roles that the selected tests need; every process does this for itself."""
    needed = [roles_needed(item) for item in session.items]
    known = [roles for roles in needed if roles is not None]
    run_of(session.config).needed_roles = frozenset().union(*known) if len(known) == len(needed) else None
