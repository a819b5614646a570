"""Write the report when a run with machines has ended, however it ended."""

from __future__ import annotations

import pytest

from proving_ground.plugin.run import run_of


def pytest_proving_ground_report(session: pytest.Session) -> None:
    """Write the report when the run has ended; whatever goes wrong in that is a line, and no more."""
    from proving_ground.report.writer import write  # nothing else needs what writes a page

    run = run_of(session.config)
    try:
        write(run, int(session.exitstatus))
    except Exception as error:  # the run's own result is what counts
        words = " ".join(str(error).split())
        run.closing_lines.append(f"warning: no report was written: {type(error).__name__}: {words}")
