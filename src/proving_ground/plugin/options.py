"""The command-line options, the environment variables beside them, and the markers: what they are called and mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: as in ``--pg-NAME``.
        default: its value where nobody says otherwise, as ``--help`` shows it; None for a switch.
        help: what it is for.
    """

    name: str
    default: str | None
    help: str

    @property
    def flag(self) -> str:
        """As written on the command line: ``--pg-network-prefix``."""
        return f"--pg-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that says the same: ``PG_NETWORK_PREFIX``."""
        return f"PG_{self.key.upper()}"

    @property
    def key(self) -> str:
        """As a name in Python: ``network_prefix``."""
        return self.name.replace("-", "_")

    @property
    def destination(self) -> str:
        """Its attribute of ``config.option``."""
        return f"pg_{self.key}"


OPTIONS = (
    Option("topology", "default", "which machines there are: a file of the project's topology directory"),
    Option(
        "provider",
        "container with an image, else docker",
        "what makes the machines: container, or by Vagrant docker, libvirt or virtualbox",
    ),
    Option("keep", "failed; in CI never", "when machines that this run made outlive it: never, failed or always"),
    Option("reuse", None, "test the machines that are up, as they are"),
    Option("checkpoints", None, "save the machines after each phase, and start from the newest that still applies"),
    Option("network-prefix", "the topology's", "first three octets of the machines' network, such as 10.8.0"),
    Option("timeout-factor", "1", "multiply every time-out by this, on a slow or busy host"),
)

MARKERS = (
    "hosts(*groups): parametrize the fixture `host` over the members of these groups, not over all machines",
    "role(*names): what has to have converged on all its hosts for this test to mean anything",
    "smoke: the one or two tests of a role that tell whether it works at all",
    "before_converge: needs machines on which nothing has been installed yet",
    "lifecycle: a phase of the run itself: syntax, converge, idempotence",
    "disruptive: disturbs the cluster for a moment, or would be seen by other tests; no other runs at the same time",
    "xdist_group(name): with -n, tests of one group run in one worker; without it, those of a file do",
)


LOOKING = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow", "collectonly")
"""What pytest's own options are called, among ``config.option``, by which somebody only looks and runs no test."""


def add(parser: pytest.Parser) -> None:
    """Add the options; values are checked later, and only in a project that uses them."""
    group = parser.getgroup("proving-ground", "Proving Ground: machines and playbooks")
    for option in OPTIONS:
        if option.default is None:
            text = f"{option.help} (or {option.variable}=1)"
            group.addoption(option.flag, dest=option.destination, action="store_true", default=None, help=text)
        else:
            text = f"{option.help} (or {option.variable}; default: {option.default})"
            name = option.name.rpartition("-")[2].upper()
            group.addoption(option.flag, dest=option.destination, metavar=name, default=None, help=text)


def values(config: pytest.Config) -> dict[str, str | bool | None]:
    """What was asked for, by :attr:`Option.key`: on the command line, or else in the environment, or else None."""
    return {
        option.key: said if (said := config.getoption(option.destination)) is not None else from_environment(option)
        for option in OPTIONS
    }


def only_looks(config: pytest.Config) -> bool:
    """Whether this call of pytest shows something and runs no test: it has to work whatever the project says."""
    return any(getattr(config.option, name, False) for name in LOOKING)


def from_environment(option: Option) -> str | bool | None:
    """What the environment says of an option; a variable that is empty says nothing."""
    said = os.environ.get(option.variable) or None
    return said if said is None or option.default is not None else said not in {"0", "false", "no"}


def refuse(config: pytest.Config) -> None:
    """In a project that does not use the plugin: refuse its options, which would be ignored.

    Raises:
        pytest.UsageError: one was given.
    """
    for option in OPTIONS:
        if config.getoption(option.destination) is not None:
            import pytest  # already there; the command line does without

            text = f"{option.flag}: {config.rootpath / 'pyproject.toml'} has no table [tool.proving-ground]"
            raise pytest.UsageError(text)
