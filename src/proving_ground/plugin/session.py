"""Begin a run by making its settings; end it step by step when all tests are over."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.core.plan import plan_of
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.ledger import Ledger
from proving_ground.plugin import artifacts, options
from proving_ground.plugin.configuration import UNKNOWN, settings_from
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.run import RUN, Run, run_of
from proving_ground.plugin.xdist.handover import HANDED, shared_from


@pytest.hookimpl(tryfirst=True)  # all others go by the settings
def pytest_configure(config: pytest.Config) -> None:
    """Register markers and make the run, so that a bad option ends it before anything is made."""
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    handed = getattr(config, "workerinput", {}).get(HANDED, {})  # all workers of pytest-xdist are one run
    run = config.stash[RUN] = run_from(config, handed)
    if not run.only_looks and not config.option.xmlpath:
        config.option.xmlpath = str(run.settings.artifacts / "junit.xml")


def run_from(config: pytest.Config, handed: Mapping[str, str]) -> Run:
    """Make the run of what was asked for, or end it; who only looks gets what can be known, and a warning."""
    settings, plan, trouble = Settings(config.rootpath, handed.get("run_id", "")), UNKNOWN, None
    try:
        settings = settings_from(options.values(config), config.rootpath, handed.get("run_id"))
        plan = plan_of(settings)
        if not config.option.collectonly:
            Ledger(settings.state_directory).read()  # one that cannot be read is an error now, not in the middle
    except HarnessError as error:
        if not options.only_looks(config):
            end_with(error)
        trouble = error
    run = Run(config, settings, plan, Timeline.of(settings), shared=shared_from(handed))
    if trouble is not None:
        run.warn(trouble)
    return run


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around all others: pytest-order, too, wants to be the last
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """With ``--pg-reuse`` the phases that converge come last: what somebody broke has to be found, not fixed."""
    yield
    if run_of(config).settings.reuse:
        items.sort(key=lambda item: item.get_closest_marker("lifecycle") is not None)


def pytest_report_header(config: pytest.Config) -> str | None:
    """What this run is about to use; nothing where that is not known."""
    run = run_of(config)
    settings = run.settings
    if run.plan is UNKNOWN:
        return None
    header = f"proving ground: topology {settings.topology}, provider {settings.provider}, keep {settings.keep}"
    return header + (", reuse" if settings.reuse else "")


@pytest.hookimpl(wrapper=True, trylast=True)  # after workers have gone and fixtures have ended, before the summary
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """End the run, whatever its end is: the one place that says in which order."""
    try:
        yield
    finally:
        run = run_of(session.config)
        if not run.is_worker and not run.only_looks:
            run.learn_from_workers()
            artifacts.collect(run.settings)  # while what they are copies of is still there
            try:
                look_and_remove(session, run)
            finally:
                run.release()
            if (error := run.failed_converge or run.infrastructure_error) is not None:
                session.exitstatus = error.exit_code
            session.config.hook.pytest_proving_ground_report(session=session)


def look_and_remove(session: pytest.Session, run: Run) -> None:
    """Have the machines looked at for the last time, then remove them, unless ``--pg-keep`` says otherwise.

    An interruption ends what is being done here, but not the removal; a second one does.
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
                run.lifecycle.destroy()
            except KeyboardInterrupt:
                note_interruption(session, run)
                run.lifecycle.destroy()
    except HarnessError as error:
        run.infrastructure_error = run.infrastructure_error or error
        run.say(f"error: {error}")
    except KeyboardInterrupt:
        run.say("interrupted again; `proving-ground destroy` removes what is there")


def is_removed(run: Run, lifecycle: Lifecycle) -> bool:
    """Whether the machines do not outlive this run."""
    keep = run.settings.keep
    return lifecycle.created_here and (keep == "never" or (keep == "failed" and not run.is_red))


def note_interruption(session: pytest.Session, run: Run) -> None:
    """Say that this is the end, as pytest does while tests run; machines are still removed."""
    session.exitstatus = pytest.ExitCode.INTERRUPTED
    run.say("interrupted; what has to be removed still is")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say what comes last, where the eye is; after an early end as well, which has no summary."""
    run, reporter = config.stash.get(RUN, None), config.pluginmanager.getplugin("terminalreporter")
    if run is None or reporter is None or run.is_worker:
        return
    lines = [*run.closing_lines]
    if run.failed_converge is not None:  # what was not run for it may be more than a screen
        lines.append(f"converge failed: {run.failed_converge.cause}")
    for line in lines:
        reporter.ensure_newline()
        reporter.write_line(line, yellow=line.startswith("warning"), red=line.startswith("converge failed"))
