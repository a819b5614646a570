"""Define the command-line options, their environment variables, and the markers."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def flag(key: str) -> str:
    """Return an option as the command line has it, by its name in Python: ``--pg-network-prefix``."""
    return f"--pg-{key.replace('_', '-')}"


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: as in ``--pg-NAME``.
        default: its default value, as ``--help`` shows it; None for a switch.
        help: its text in ``--help``.
        word: what it takes, if it can be repeated; the variable has the words in one text, as a shell would.
    """

    name: str
    default: str | None
    help: str
    word: str = ""

    @property
    def flag(self) -> str:
        """The option on the command line: ``--pg-network-prefix``."""
        return flag(self.key)

    @property
    def variable(self) -> str:
        """The option's environment variable: ``PG_NETWORK_PREFIX``."""
        return f"PG_{self.key.upper()}"

    @property
    def key(self) -> str:
        """The option's name in Python: ``network_prefix``."""
        return self.name.replace("-", "_")

    @property
    def destination(self) -> str:
        """The option's attribute of ``config.option``."""
        return f"pg_{self.key}"


OPTIONS = (
    Option("topology", "default", "which machines there are: a file of the project's topology directory"),
    Option("profile", "none", "which profile of the project replaces keys of its settings"),
    Option("set", "none", "replace a value of the plan, such as web.count=3; may be repeated", word="KIND.KEY=VALUE"),
    Option(
        "provider",
        "container with an image, else docker",
        "what makes the machines: container (Docker) or podman, by Vagrant docker, libvirt or virtualbox; existing "
        "with an inventory",
    ),
    Option("inventory", "the setting", "test the hosts of this Ansible inventory: nothing is created or removed"),
    Option("limit", "all", "the pattern of the inventory's hosts to which the run is limited, as Ansible's --limit"),
    Option("converge", None, "converge the hosts of the inventory, too, and test idempotence"),
    Option("keep", "failed; in CI never", "when machines that this run made outlive it: never, failed or always"),
    Option("role", "all", "run this role's tests, and of the others only smoke tests; may be repeated", word="ROLE"),
    Option("reuse", None, "test the machines that are up, as they are"),
    Option("checkpoints", None, "save the machines after each phase, and start from the newest that still applies"),
    Option("network-prefix", "the topology's", "first three octets of the machines' network, such as 10.8.0"),
    Option("timeout-factor", "1", "multiply every time-out by this, on a slow or busy host"),
    # The next three are of the Kubernetes extra. pytest has to know them before it reads a project's conftest.py: else
    # it takes a path after an option for a path to tests.
    Option("kubeconfig", "none", "test the cluster of this file's current context, as it is: no machines are made"),
    Option("probe-image", "the depot's", "the image of probe pods, which nodes pull where they lack it"),
    Option("simulated-nodes", "0", "how many nodes KWOK simulates beside those of the cluster, up to 1000"),
)

MARKERS = (
    "hosts(*groups): parametrize the fixture `host` over the members of these groups or patterns, not all machines",
    "role(*names): the test needs these roles converged on all their hosts; else it is skipped",
    "fault: the test puts a fault in, and shows that the project's tests notice it; only with -m fault",
    "smoke: one of the one or two tests that show whether a role works at all",
    "before_converge: the test needs machines before the playbook runs on them",
    "lifecycle: the test is a phase of the run itself: syntax, converge, idempotence",
    "syntax: the test is the step that lets Ansible parse the playbook",
    "prepare: the test is the step that runs the playbook that prepares new machines",
    "converge: the test is the step that runs the playbook",
    "check_mode: the test is part of the step that runs the playbook in check mode on converged machines",
    "idempotence: the test is part of the step that runs the playbook once more",
    "verify: the test is part of the step that runs the playbook that verifies converged machines",
    "cleanup: the test is the step that runs the playbook before the machines are removed",
    "disruptive: the test disturbs the machines or other tests; with -n, no other test runs at the same time",
    "xdist_group(name): with -n, one worker runs all tests of a group; without it, all tests of a file",
)


def asks_for(config: pytest.Config, marker: str) -> bool:
    """Return whether the expression of ``-m`` asks for tests that are only there if it does: it names their marker."""
    words = re.findall(r"\w+", config.option.markexpr or "")
    return marker in words and words[max(words.index(marker) - 1, 0)] != "not"


LOOKING = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow", "collectonly")
"""Attributes of ``config.option`` for pytest's options that show something and run no test."""


def add(parser: pytest.Parser) -> None:
    """Add the options; their values are checked later, and only in a project that uses the plugin."""
    group = parser.getgroup("proving-ground", "Proving Ground: machines and playbooks")
    for option in OPTIONS:
        if option.default is None:
            text = f"{option.help} (or {option.variable}=1)"
            group.addoption(option.flag, dest=option.destination, action="store_true", default=None, help=text)
        else:
            text = f"{option.help} (or {option.variable}; default: {option.default})"
            name = option.word or option.name.rpartition("-")[2].upper()
            action = "append" if option.word else "store"
            group.addoption(option.flag, dest=option.destination, action=action, metavar=name, default=None, help=text)


def values(config: pytest.Config) -> dict[str, str | bool | None]:
    """Return :attr:`Option.key` → value: from the command line, or else from the environment, or else None."""
    return {option.key: value(option, config.getoption(option.destination)) for option in OPTIONS}


def given(config: pytest.Config, name: str) -> str:
    """Return what an option with a value was given, on the command line or in the environment; empty if nothing."""
    return next(str(value(each, config.getoption(each.destination)) or "") for each in OPTIONS if each.name == name)


def value(option: Option, said: str | bool | list[str] | None) -> str | bool | None:
    """Return an option's value: what the command line said, or else the environment; words as one text."""
    if isinstance(said, list):
        return shlex.join(said)
    return said if said is not None else from_environment(option)


def only_looks(config: pytest.Config) -> bool:
    """Return whether this call of pytest shows something and runs no test: it has to work in a broken project, too."""
    return any(getattr(config.option, name, False) for name in LOOKING)


def from_environment(option: Option) -> str | bool | None:
    """Return an option's value in the environment; None if the variable is empty or not set."""
    said = os.environ.get(option.variable) or None
    return said if said is None or option.default is not None else said not in {"0", "false", "no"}


def refuse(config: pytest.Config) -> None:
    """Raise an error if an option is given in a project that does not use the plugin, which would ignore it.

    Raises:
        pytest.UsageError: one was given.
    """
    for option in OPTIONS:
        if config.getoption(option.destination) is not None:
            import pytest  # not at the top: the command line `proving-ground` does not need it

            text = f"{option.flag}: {config.rootpath / 'pyproject.toml'} has no table [tool.proving-ground]"
            raise pytest.UsageError(text)
