"""Find how far machines have to be converged: up to the roles that the chosen tests name."""

from __future__ import annotations

import pytest

from proving_ground.plugin.run import run_of
from proving_ground.plugin.skip_unconverged import GUARD, roles_of


def roles_needed(item: pytest.Item) -> frozenset[str] | None:
    """The roles that a test needs; None for all, which is what a test needs that does not say so."""
    names: list[str] = getattr(item, "fixturenames", [])
    if GUARD in names:
        return roles_of(item) or None
    return None if "pg_converged" in names else frozenset()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what those tests need that are left to be run, in each process for itself."""
    needed = [roles_needed(item) for item in session.items]
    known = [roles for roles in needed if roles is not None]
    run_of(session.config).needed_roles = frozenset().union(*known) if len(known) == len(needed) else None
