"""Extend python-vagrant's client with a deadline for every call, and snapshots of single machines.

Imported only if Vagrant is used: python-vagrant is an extra, and warns on import if Vagrant is missing.
"""

from __future__ import annotations

import vagrant


class Client(vagrant.Vagrant):  # type: ignore[misc]
    """Runs every call with coreutils' timeout: python-vagrant itself waits for ever."""

    deadline = 300

    def _make_vagrant_command(self, args: list[str | None]) -> list[str]:
        command = super()._make_vagrant_command(args)
        return ["timeout", "--kill-after=10", str(self.deadline), *command]

    def snapshot_restore_only(self, name: str) -> None:
        """Restore without a start: python-vagrant's own method starts the machines one after the other."""
        self._call_vagrant_command(["snapshot", "restore", "--no-start", "--no-provision", name])

    def snapshot_delete_from(self, machine: str, name: str) -> None:
        """Delete a snapshot of one machine; python-vagrant's own method needs it on all machines."""
        self._call_vagrant_command(["snapshot", "delete", machine, name])

    def machines_with(self, name: str) -> list[str]:
        """Return the names of the machines that have a snapshot of this name."""
        present = [status.name for status in self.status() if status.state != self.NOT_CREATED]
        return [each for each in present if name in self._run_vagrant_command(["snapshot", "list", each]).split()]
