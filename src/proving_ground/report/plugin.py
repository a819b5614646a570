"""Write the report at the end of every run with machines, also after an error."""

from __future__ import annotations

import pytest

from proving_ground.plugin.run import run_of


def pytest_proving_ground_report(session: pytest.Session) -> None:
    """Write the report at the end of the run; an error in that only prints a warning."""
    from proving_ground.report.writer import write  # not at the top: only this needs the writer's imports

    run = run_of(session.config)
    try:
        write(run, int(session.exitstatus))
    except Exception as error:  # a missing report must not change the run's result
        words = " ".join(str(error).split())
        run.closing_lines.append(f"warning: no report was written: {type(error).__name__}: {words}")
