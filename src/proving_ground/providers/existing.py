"""Provider existing: the hosts of the user's own inventory. It reaches them; it creates none and removes none."""

from __future__ import annotations

from typing import Any

from proving_ground.ansible.adhoc import ModuleError, run_module
from proving_ground.core.errors import MachineError
from proving_ground.core.problems import shown
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.providers.base import Provider

MOST_AT_ONCE = 50
"""Ask so many hosts at the same time whether they answer."""


class Existing(Provider):
    """The hosts of an inventory. Whatever creates, saves or removes machines is not there for them, or does nothing."""

    in_place = False
    needs_view = False

    def check_reachable(self, topology: Topology, timeouts: Timeouts, timeout: float) -> None:
        """Let Ansible reach every host by the inventory's own connection; needs no Python there."""
        count = len(topology.nodes)
        env = {"ANSIBLE_TIMEOUT": str(round(timeouts.seconds(timeout))), "ANSIBLE_FORKS": str(min(count, MOST_AT_ONCE))}
        inventory = self.settings.inventory_file
        rounds = 1 + count // MOST_AT_ONCE
        # Three times: ssh may wait for the connection, for its banner, and for the shell.
        seconds = 20 + 3 * timeout * rounds
        try:
            run_module(self.settings, inventory, "all", "raw", "true", env=env, timeout=seconds, timeouts=timeouts)
        except ModuleError as error:
            silent = {
                node.name: cause(error.results[node.name]) for node in topology.nodes if node.name in error.results
            }
            silent = {name: text for name, text in silent.items() if text}
            if not silent:
                raise MachineError(error.what, where=shown(inventory)) from error
            causes = {text: [name for name in silent if silent[name] == text] for text in silent.values()}
            what = "; ".join(f"{', '.join(names)}: {text}" for text, names in causes.items())
            count_of = f"{len(silent)} of {count} hosts do not answer"
            hint = f"see `ansible -i {shown(inventory)} {next(iter(silent))} -m ping`, or leave them out by --pg-limit"
            raise MachineError(f"{count_of}: {what}", where=shown(inventory), hint=hint) from error


def cause(result: dict[str, Any]) -> str:
    """Return in one line why a host did not answer; empty if it did."""
    if not result.get("unreachable") and not result.get("failed") and not result.get("rc"):
        return ""
    said = [str(result.get(key) or "").strip() for key in ("stderr", "stdout")] if result.get("rc") else []
    text = next(filter(None, said), "") or str(result.get("msg") or "it failed without a message")
    return " ".join(text.split())
