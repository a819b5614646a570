"""The commands that open a shell on a machine: by the container engine's exec, or else by ssh."""

from __future__ import annotations

from proving_ground.core.settings import Settings, client, named
from proving_ground.machines.ledger import Ledger


def container_of(settings: Settings, machine: str) -> str:
    """The name of a machine's container."""
    return named(settings.checkout_id, machine)


def client_of(settings: Settings, machine: str) -> tuple[str, ...]:
    """The container engine's client, with the arguments that lead it to the machine's engine."""
    record = Ledger(settings.state_directory).legible()
    return client(settings.engine, "" if record is None else record.placement.get(machine, ""))


def login(settings: Settings, machine: str) -> list[str]:
    """Program and arguments that open an interactive shell."""
    if settings.engine:
        return [*client_of(settings, machine), "exec", "-it", container_of(settings, machine), "/bin/sh"]
    if settings.is_existing:  # by the inventory's own connection, whatever it is
        return ["ansible-console", "-i", str(settings.inventory_file), machine]
    return ["ssh", "-F", str(settings.state_directory / "ssh.config"), machine]


def root_shell(settings: Settings, machine: str, seconds: int = 30) -> list[str]:
    """Program and arguments that run a script from standard input as root.

    Args:
        settings: of the machine's project.
        machine: its name.
        seconds: after which the machine itself ends the script; the caller's own deadline ends only the client.
    """
    script = f"timeout {seconds} sh -s"
    if settings.engine:
        return [*client_of(settings, machine), "exec", "-i", container_of(settings, machine), *script.split()]
    config = str(settings.state_directory / "ssh.config")
    options = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=3")
    return ["ssh", "-F", config, *options, machine, f"sudo {script}"]
