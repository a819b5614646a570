"""Collect upstream's cases as tests: with ``-m upstream`` each file ``e2e_NAME.yml`` is a suite of them."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from proving_ground import depot
from proving_ground.depot import View
from proving_ground.kubernetes.upstream.programs import Programs
from proving_ground.kubernetes.upstream.suite import PREFIX, Case, Suite, read
from proving_ground.plugin.options import asks_for
from proving_ground.plugin.run import Run, run_of

MARKER = "upstream"
GROUP = "upstream"
"""The depot's group of upstream's programs, and of the images that their cases use."""

TESTS = Path(__file__).with_name("cases.py")

SECONDS = pytest.StashKey[float]()
"""In an item's stash: the seconds that its case took when upstream's program ran it."""

VIEW = pytest.StashKey[View]()
NAMES = pytest.StashKey[list[str]]()


class E2eSuite(pytest.File):
    """A file ``e2e_NAME.yml``: one test, which is parametrized with the cases of the suite."""

    suite: Suite
    cases: list[Case]

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Choose the cases; a mistake in the file, or a depot without upstream's programs, ends the run."""
        run = run_of(self.config)
        self.suite = run.attempt(lambda: read(self.path))
        self.cases = run.attempt(lambda: self.suite.choose(names(run)))
        for pattern in self.suite.unused(self.cases):
            run.closing_lines.append(f"warning: {self.nodeid}: {pattern!r} leaves out no case")
        return pytest.Module.from_parent(self, path=TESTS, nodeid=self.nodeid).collect()

    def chosen(self) -> list[Case]:
        """Return the cases that the run has to run: those that ``-k`` and the like leave, and that are not left out."""
        items = (item for item in self.session.items if item.getparent(E2eSuite) is self)
        found: list[Case] = [item.callspec.params["pg_upstream_case"] for item in items]  # type: ignore[attr-defined]
        return [case for case in found if not case.left_out]


def view(run: Run) -> View:
    """Return the depot's view of upstream's programs and images, built if the cache lacks them; raises DepotError."""
    settings, stash = run.settings, run.config.stash
    if VIEW not in stash:
        stash[VIEW] = depot.ensure(settings.depot, report=run.say, release=settings.project.release, only=[GROUP])
    return stash[VIEW]


def names(run: Run) -> list[str]:
    """Return the names of all of upstream's cases, listed once in a run; raises DepotError."""
    stash = run.config.stash
    if NAMES not in stash:
        stash[NAMES] = Programs(view(run).path / "bin").cases()
    return stash[NAMES]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a suite if ``-m`` asks for upstream's cases, or the file is named: each of them takes seconds."""
    if file_path.suffix != ".yml" or not file_path.name.startswith(PREFIX):
        return None
    if not asks_for(parent.config, MARKER) and not parent.session.isinitpath(file_path):
        return None
    return E2eSuite.from_parent(parent, path=file_path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each case; one that is left out is skipped with the reason, and needs no machines."""
    if "pg_upstream_case" in metafunc.fixturenames:
        suite = metafunc.definition.getparent(E2eSuite)
        assert suite is not None
        metafunc.parametrize(
            "pg_upstream_case",
            [
                pytest.param(
                    case,
                    id=case.name,
                    marks=[pytest.mark.skip(reason=case.left_out)] if case.left_out else [],
                )
                for case in suite.cases
            ],
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the seconds that the case took when upstream's program ran it, before the test asked for them."""
    report = yield
    if call.when == "call" and SECONDS in item.stash:
        report.duration = item.stash[SECONDS]
    return report
