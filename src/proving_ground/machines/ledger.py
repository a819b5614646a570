"""Record what this checkout creates, before it exists, so that the next command can always clean up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError
from proving_ground.core.settings import PROVIDERS, Settings

OUTLIVING = ("checkpoints", "ledger.json", "lock", "lock.holder", "pytest-cache")
"""Names in the state directory that stay when the machines are removed."""

ROLE_LINKS, COLLECTION_LINKS = "roles", "collections"
"""Directories in the state directory by which Ansible finds a project that is a role or a collection."""

VARIABLE_LINKS = ("host_vars", "group_vars")
"""Links beside the inventory to the project's directories of variables."""

LINKS = (ROLE_LINKS, COLLECTION_LINKS, *VARIABLE_LINKS)

OF_THE_RUN = (*OUTLIVING, "ssh", "ssh.config", "vagrant.json", "inventory.yml", *LINKS)
"""Names in the state directory that the harness writes; the playbook writes all others."""

KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "list[str]": (list,),
    "dict[str, str]": (dict,),
}
"""Annotation of a field in :class:`Record` → the types of its value."""

PHASES = ("creating", "created", "converged")


class CorruptLedgerError(MachineError):
    """The ledger cannot be read: it is unknown whether machines exist, and which."""


@dataclass(frozen=True)
class Record:
    """One set of machines.

    Attributes:
        run_id: the run that created them.
        topology: the topology's name.
        provider: Vagrant's provider.
        network_prefix: override of the machines' network, or None.
        network: name of the network created for them.
        phase: ``creating``, ``created`` or ``converged``.
        created_key: key of the phase before any play, until a playbook runs on them; empty without checkpoints.
        prepared: whether the playbook that prepares machines has run on them.
        cleaned: whether the playbook that runs before their removal has begun; then they are removed.
        reached: the phase of the playbook that they are at, if they are converged in phases.
        reached_key: the key of that phase.
        restored_at: when they were restored (UTC); empty after the wait for all their services.
        awaited: number of plays whose services a run has waited for since then.
        converged_key: hash of roles, topology and depot that the machines were converged with.
        timeout_factor: how many times slower than containers they are.
        view: path of the depot's view that they were converged with.
        profile: the project's profile that they belong to; empty for none.
        overrides: the values that replaced those of the plan; empty for none.
        engines: the engines that share them, the manager of their swarm first; empty for the client's usual one.
        placement: machine → its engine, if several share them.
        images: of a matrix of images the groups of those that they are made of, with commas; empty for all.
    """

    run_id: str
    topology: str
    provider: str
    network_prefix: str | None = None
    network: str = ""
    phase: str = "creating"
    created_key: str = ""
    prepared: bool = False
    cleaned: bool = False
    converged_key: str = ""
    reached: str = ""
    reached_key: str = ""
    restored_at: str = ""
    awaited: int = 0
    timeout_factor: float = 1.0
    view: str = ""
    profile: str = ""
    overrides: str = ""
    engines: list[str] = field(default_factory=list, hash=False)
    placement: dict[str, str] = field(default_factory=dict, hash=False)
    images: str = ""

    @property
    def image_groups(self) -> tuple[str, ...] | None:
        """The groups of :attr:`images`; None for all."""
        return tuple(self.images.split(",")) if self.images else None

    def has_images_of(self, settings: Settings) -> bool:
        """Return whether machines of all images are there that these settings need."""
        up, needed = self.image_groups, settings.images
        return up is None or needed is None or set(needed) <= set(up)

    def is_of(self, settings: Settings) -> bool:
        """Return whether they have the topology of these settings, with its profile and overrides."""
        own, asked = (self.topology, self.profile), (settings.topology, settings.profile)
        return (*own, self.overrides) == (*asked, settings.overrides)


class Ledger:
    """The record of this checkout, in ``<state directory>/ledger.json``; writes are atomic."""

    def __init__(self, state_directory: Path) -> None:
        self.path = state_directory / "ledger.json"

    def read(self) -> Record | None:
        """Return the record, or None if no machines have been created.

        Raises:
            CorruptLedgerError: the file is invalid.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._corrupt(f"no JSON: {error}") from error
        if not isinstance(content, dict):
            raise self._corrupt("no JSON object")
        known = {each.name for each in fields(Record)}
        record = {key: value for key, value in content.items() if key in known}
        if wrong := _wrong_with(record):
            raise self._corrupt(wrong)
        return Record(**record)

    def legible(self) -> Record | None:
        """Return the record, or None if there is none or it is invalid: for commands that do not need it."""
        try:
            return self.read()
        except CorruptLedgerError:
            return None

    def _corrupt(self, what: str) -> CorruptLedgerError:
        hint = "run `proving-ground destroy`: it removes all of this project, by its labels, and this file"
        return CorruptLedgerError(f"the ledger of machines cannot be read, {what}", where=str(self.path), hint=hint)

    def write(self, record: Record) -> Record:
        """Write ``record`` to disk and return it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return record

    def update(self, **changes: object) -> Record:
        """Change fields of the record, which has to exist, and return it."""
        record = self.read()
        if record is None:
            raise LookupError(f"{self.path} holds no record to update")
        return self.write(replace(record, **changes))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Delete the record after the removal of everything in it."""
        self.path.unlink(missing_ok=True)


class InventoryLedger(Ledger):
    """The record of hosts that exist anyway: always there, kept in memory, and of no run, so that none removes them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.state_directory)
        phase = "converged" if settings.as_they_are else "created"
        self._record = Record("", settings.topology, settings.provider, phase=phase, profile=settings.profile)

    def read(self) -> Record:
        """Return the record."""
        return self._record

    def write(self, record: Record) -> Record:
        """Keep ``record`` in memory and return it."""
        self._record = record
        return record

    def clear(self) -> None:
        """Do nothing: the hosts stay."""


def ledger_of(settings: Settings) -> Ledger:
    """Return the ledger of the machines of a run: the checkout's, or that of an existing inventory."""
    return InventoryLedger(settings) if settings.is_existing else Ledger(settings.state_directory)


def _wrong_with(record: dict[str, Any]) -> str:
    """Return the first problem of a record; empty if it is valid."""
    for name in ("run_id", "topology", "provider"):
        if name not in record:
            return f"{name} is missing"
    for each in fields(Record):
        if each.name in record and not isinstance(record[each.name], KINDS[str(each.type)]):
            return f"{each.name} is {record[each.name]!r}"
    for name, choices in (("provider", PROVIDERS), ("phase", PHASES)):
        if name in record and record[name] not in choices:
            return f"{name} is {record[name]!r}"
    return ""
