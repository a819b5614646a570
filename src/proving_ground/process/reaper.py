"""Mark the programs that a run starts, so that those which outlive it are found and ended."""

from __future__ import annotations

from functools import partial

from proving_ground.process.processes import carrying, end

MARK = "PROVING_GROUND_CHECKOUT"
"""Environment variable by which a tool's descendants are found, whatever sessions they have made for themselves:
Vagrant's and Ansible's, which are ended with the tool. Its value is the checkout's path."""

RUN = "PROVING_GROUND_RUN"
"""The same for all that a run starts, tests' programs among it; they are ended with the machines. Its value is that of
:func:`mark_of_run`."""


def mark_of_run(checkout_id: str, run_id: str) -> str:
    """What the programs of a run carry in :data:`RUN`: whose they are, and of which run."""
    return f"{checkout_id}/{run_id}"


def end_runs(checkout_id: str, *, grace: float = 5) -> int:
    """End whatever earlier runs of a checkout have left running; returns how many processes there were.

    Args:
        checkout_id: ``Settings.checkout_id``.
        grace: seconds, as in :func:`end_marked`.
    """
    return end(partial(carrying, RUN, mark_of_run(checkout_id, ""), whole=False), grace=grace)


def end_marked(value: str, *, grace: float = 5) -> int:
    """End every process that was started with :data:`MARK` set to ``value``; returns how many there were.

    Args:
        value: what tells them from others.
        grace: seconds between asking them to end and killing them.
    """
    return end(partial(carrying, MARK, value), grace=grace)
