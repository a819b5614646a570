"""Let Ansible read the project's ``host_vars`` and ``group_vars`` as those of its inventory: links beside that.

Ansible reads both beside the playbook, and beside the inventory. The generated inventory lies in the state directory,
and a playbook may lie in another directory than the project's, or be generated, too.
"""

from __future__ import annotations

from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import VARIABLE_LINKS


def ensure_variable_links(settings: Settings) -> None:
    """Make the links to the directories that the project has, and remove those to directories that it has no more."""
    for name in VARIABLE_LINKS:
        link, target = settings.state_directory / name, settings.root / name
        if link.is_symlink() and (not target.is_dir() or link.readlink() != target):
            link.unlink()
        if target.is_dir() and not link.is_symlink():
            link.symlink_to(target)
