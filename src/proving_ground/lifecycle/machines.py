"""Create and destroy the machines of a topology."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from proving_ground.checkpoints.store import Checkpoints
from proving_ground.core.errors import UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import PROVIDERS, Settings, named
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.machines.ledger import OUTLIVING, CorruptLedgerError, Ledger, Record, ledger_of
from proving_ground.machines.vagrant import Vagrant
from proving_ground.machines.vagrant_records import drop_records, recorded
from proving_ground.process.reaper import end_marked, end_runs
from proving_ground.providers import registry


def create(
    settings: Settings,
    topology: Topology,
    network_prefix: str | None,
    view: View,
    progress: Progress,
    *,
    checkpoint: str | None = None,
) -> Record:
    """Bring up the machines of ``topology``; the ledger knows of them before they exist.

    Args:
        settings: the run's settings.
        topology: the machines to create, in their network.
        network_prefix: of that network, or None for the topology file's own.
        view: the view of the depot that they mount.
        progress: receives a line for each step.
        checkpoint: key of the checkpoint to restore, or None for new machines.

    Raises:
        MachineError: the machines did not come up; the ledger still records them.
    """
    ledger = Ledger(settings.state_directory)
    network = named(settings.checkout_id)
    ledger.write(
        Record(
            settings.run_id,
            settings.topology,
            settings.provider,
            network_prefix,
            network,
            profile=settings.profile,
            overrides=settings.overrides,
            images=",".join(settings.images or ()),
            engines=list(settings.engines),
            placement=dict(registry.of(settings).place(topology)),
        )
    )
    # Asked for again: now the ledger says on which engines the machines are.
    factor = registry.of(settings).create(topology, view, progress, log_of(settings), checkpoint)
    return ledger.update(phase="created", timeout_factor=factor)


def restore_in_place(settings: Settings, topology: Topology, view: View, progress: Progress, checkpoint: str) -> Record:
    """Restore existing machines to a checkpoint; meanwhile the ledger records them as being created.

    Args:
        settings: the run's settings.
        topology: the topology of the machines.
        view: the view of the depot that they mount.
        progress: receives a line for each step.
        checkpoint: key of the checkpoint.

    Raises:
        MachineError: the machines did not come up again.
    """
    ledger = Ledger(settings.state_directory)
    record = ledger.update(phase="creating", converged_key="", reached="", reached_key="")
    provider = registry.of(settings)
    provider.ensure_running(progress)
    with progress.step("checkpoint back"):
        timeouts = Timeouts(max(record.timeout_factor, settings.timeout_factor))
        provider.restore_in_place(checkpoint, topology, view, progress, log_of(settings), timeouts)
    return ledger.update(phase="created")


def destroy(settings: Settings, progress: Progress) -> bool:
    """Remove everything that this checkout has created; returns whether there was anything.

    Raises:
        MachineError: something could not be removed; the ledger still records it.
        PreflightError: the provider's service has ended and does not start; the ledger still records the machines.
    """
    ledger = Ledger(settings.state_directory)
    try:
        record, corrupt = ledger.read(), False
    except CorruptLedgerError as error:
        progress.say(f"{error.cause}; all of this project is removed, by its labels")
        record, corrupt = None, True
    log = log_of(settings)
    # Without a record anything may be there.
    known = registry.every(settings) if record is None else [registry.of(settings)]
    if not corrupt and record is None and not any(provider.has_leftovers() for provider in known):
        return False
    with progress.step("destroy"):
        end_marked(str(settings.root))
        for provider in known:
            provider.disconnect()
        end_runs(settings.checkout_id)
        # The provider's service may have ended; without it, the machines would look as if they were gone.
        for name in sorted(recorded(settings.root) & set(PROVIDERS)) if record is None else (settings.provider,):
            settings = replace(settings, provider=name)
            registry.of(settings).prepare_removal(progress)
        # Removes all machines at once, Vagrant one by one, and takes seconds to begin.
        for provider in known:
            provider.remove_leftovers(log)
        if (settings.root / ".vagrant" / "machines").exists() and not drop_records(settings.root, "docker"):
            Vagrant(settings, progress).destroy()  # finds no machines, and drops its records of them
        # Again: a request of Vagrant before its end may have created a machine meanwhile.
        for provider in known:
            provider.remove_leftovers(log)
        kinds = registry.PROVIDERS if record is None else {settings.provider: registry.PROVIDERS[settings.provider]}
        Checkpoints(settings, progress).drop(name for name, kind in kinds.items() if kind.in_place)
        for path in settings.state_directory.iterdir():
            if path.name in OUTLIVING:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        ledger.clear()
    return True


def log_of(settings: Settings) -> Path:
    """The file that receives the output of the programs that make machines."""
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    return settings.artifacts / ("containers.log" if settings.engine else "vagrant.log")


def require_up(settings: Settings) -> Record:
    """Return the record of the machines that are up.

    Raises:
        UsageError: no machines of this checkout are up.
    """
    record = ledger_of(settings).read()
    if record is None or record.phase == "creating":
        raise UsageError("no machines of this checkout are up", hint="run `proving-ground up`")
    return record
