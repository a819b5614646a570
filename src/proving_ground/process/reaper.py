"""Mark the programs that a run starts, in order to find and end those that outlive it."""

from __future__ import annotations

from functools import partial

from proving_ground.process.processes import carrying, end

MARK = "PROVING_GROUND_CHECKOUT"
"""Environment variable of the processes that Vagrant and Ansible start, in any session; they end with the tool. Its
value is the checkout's path."""

RUN = "PROVING_GROUND_RUN"
"""Environment variable of all processes that a run starts, including those of tests; they end with the machines. Its
value is the result of :func:`mark_of_run`."""


def mark_of_run(checkout_id: str, run_id: str) -> str:
    """Return the value of :data:`RUN` in the processes of a run: its checkout and its id."""
    return f"{checkout_id}/{run_id}"


def end_runs(checkout_id: str, *, grace: float = 5) -> int:
    """End all processes that earlier runs of a checkout have left; returns how many there were.

    Args:
        checkout_id: ``Settings.checkout_id``.
        grace: seconds, as in :func:`end_marked`.
    """
    return end(partial(carrying, RUN, mark_of_run(checkout_id, ""), whole=False), grace=grace)


def end_marked(value: str, *, grace: float = 5) -> int:
    """End every process that was started with :data:`MARK` set to ``value``; returns how many there were.

    Args:
        value: the value of the mark.
        grace: seconds between SIGTERM and SIGKILL.
    """
    return end(partial(carrying, MARK, value), grace=grace)
