"""Begin a run by making its settings; end it step by step after all tests."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.core.problems import shown
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.lifecycle.plan import plan_of
from proving_ground.machines.ledger import Ledger
from proving_ground.plugin import artifacts, options
from proving_ground.plugin.configuration import UNKNOWN, settings_from
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.run import RUN, Run, run_of
from proving_ground.plugin.xdist.handover import HANDED, shared_from


@pytest.hookimpl(tryfirst=True)  # all other hooks use the settings
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and make the run, so that an invalid option ends it before it creates anything."""
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    handed = getattr(config, "workerinput", {}).get(HANDED, {})  # all workers of pytest-xdist are one run
    run = config.stash[RUN] = run_from(config, handed)
    if not run.only_looks and not config.option.xmlpath:
        config.option.xmlpath = str(run.settings.artifacts / "junit.xml")


def run_from(config: pytest.Config, handed: Mapping[str, str]) -> Run:
    """Make the run from options and settings; an error ends pytest, or is a warning if pytest runs no test."""
    settings, plan, trouble = Settings(config.rootpath, handed.get("run_id", "")), UNKNOWN, None
    without_machines = ""
    try:
        without_machines = config.hook.pytest_proving_ground_without_machines(config=config) or ""
        settings = settings_from(options.values(config), config.rootpath, handed.get("run_id"))
        if not config.option.collectonly:
            record = Ledger(settings.state_directory).read()  # an unreadable one is an error now, not during the tests
            if settings.reuse and record is not None:
                settings = replace(settings, images=record.image_groups)  # tests of machines that are up
        if not without_machines:
            plan = plan_of(settings)
    except HarnessError as error:
        if not options.only_looks(config):
            end_with(error)
        trouble = error
    run = Run(config, settings, plan, Timeline.of(settings), without_machines, shared_from(handed))
    if trouble is not None:
        run.warn(trouble)
    return run


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around all other hooks, also around pytest-order's, which runs last
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Run the cleanup last, and with ``--pg-reuse`` the phases that converge: tests have to find a fault before those.

    That is before a converge fixes it.
    """
    yield
    items.sort(key=lambda item: item.get_closest_marker("cleanup") is not None)
    if run_of(config).settings.reuse:
        items.sort(key=lambda item: item.get_closest_marker("lifecycle") is not None)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Return the run's topology, provider and options; None if the topology cannot be read."""
    run = run_of(config)
    settings = run.settings
    if run.without_machines:
        return f"proving ground: no machines: {run.without_machines}"
    if run.plan is UNKNOWN:
        return None
    if settings.is_existing:
        limit = f", limit {settings.limit}" if settings.limit else ""
        header = f"proving ground: {len(run.plan.nodes)} hosts of inventory {shown(settings.inventory_file)}{limit}"
        return header + (", converge" if settings.converge else ", as they are")
    profile = f"profile {settings.profile}, " if settings.profile else ""
    overrides = f" with {settings.overrides}" if settings.overrides else ""
    machines = f"{profile}topology {settings.topology}{overrides}, provider {settings.provider}"
    header = f"proving ground: {machines}, keep {settings.keep}"
    return header + (", reuse" if settings.reuse else "")


@pytest.hookimpl(wrapper=True, trylast=True)  # after the end of workers and fixtures, before the summary
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End the run, also after an error or interruption; this function defines the order of all last steps."""
    try:
        yield
    finally:
        run = run_of(session.config)
        if not run.is_worker and not run.only_looks:
            run.learn_from_workers()
            artifacts.collect(run.settings)  # before the originals are removed together with the machines
            try:
                look_and_remove(session, run)
            finally:
                run.release()
            if (error := run.failed_converge or run.infrastructure_error) is not None:
                session.exitstatus = error.exit_code
            session.config.hook.pytest_proving_ground_report(session=session)


def look_and_remove(session: pytest.Session, run: Run) -> None:
    """Call the hook ``pytest_proving_ground_end``, then remove the machines, unless ``--pg-keep`` keeps them.

    An interruption ends the hook, or restarts the removal; the next one ends the removal.
    """
    if run.lifecycle is None:
        return
    try:
        try:
            session.config.hook.pytest_proving_ground_end(session=session)
        except KeyboardInterrupt:
            note_interruption(session, run)
        if is_removed(run, run.lifecycle):
            try:
                clean_up(run)
                run.lifecycle.destroy()
            except KeyboardInterrupt:
                note_interruption(session, run)
                run.lifecycle.destroy()
    except HarnessError as error:
        run.infrastructure_error = run.infrastructure_error or error
        run.say(f"error: {error}")
    except KeyboardInterrupt:
        run.say("interrupted again; `proving-ground destroy` removes what is there")


def clean_up(run: Run) -> None:
    """Run the playbook that comes before the removal, unless its test has; an error is that of the run."""
    if run.settings.cleanup and run.lifecycle is not None:
        try:
            run.lifecycle.clean_up()
        except HarnessError as error:
            run.infrastructure_error = run.infrastructure_error or error
            run.say(f"error: {error}")


def is_removed(run: Run, lifecycle: Lifecycle) -> bool:
    """Return whether to remove the machines at the end of this run; always after the cleanup, even if that failed."""
    keep = run.settings.keep
    if run.settings.cleanup and run.record is not None and run.record.cleaned:
        return True
    return lifecycle.created_here and (keep == "never" or (keep == "failed" and not run.is_red))


def note_interruption(session: pytest.Session, run: Run) -> None:
    """Set pytest's exit code for an interruption, and say that the removal of machines goes on."""
    session.exitstatus = pytest.ExitCode.INTERRUPTED
    run.say("interrupted; the removal of machines goes on")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the closing lines at the end of the output, also after an early end, which has no summary."""
    run, reporter = config.stash.get(RUN, None), config.pluginmanager.getplugin("terminalreporter")
    if run is None or reporter is None or run.is_worker:
        return
    lines = [*run.closing_lines]
    if run.failed_converge is not None:  # again: the list of skipped tests may be longer than a screen
        lines.append(f"converge failed: {run.failed_converge.cause}")
    for line in lines:
        reporter.ensure_newline()
        reporter.write_line(line, yellow=line.startswith("warning"), red=line.startswith("converge failed"))
