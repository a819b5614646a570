"""Raise an error that names the extra to install if an optional package is missing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

from proving_ground.core.errors import PreflightError


def require(package: str, *, extra: str, where: str) -> None:
    """Check that an optional package is installed, without importing it.

    Args:
        package: its name on the package index.
        extra: the extra of ``pytest-proving-ground`` that installs it.
        where: what needs the package.

    Raises:
        PreflightError: the package is not installed.
    """
    try:
        distribution(package)
    except PackageNotFoundError as error:
        hint = f"pip install 'pytest-proving-ground[{extra}]'"
        raise PreflightError(f"{package} is not installed", where=where, hint=hint) from error
