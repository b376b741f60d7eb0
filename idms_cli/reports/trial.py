"""A test of a job: its plan, and the verdict."""

from pathlib import Path

from idms_cli.dispatch.trial import Verdict
from idms_cli.history.rows import Run
from idms_cli.reports.page import Line, Page
from idms_cli.reports.run import run_page
from idms_cli.reports.wording import Clock

CHANGES_SHOWN = 5


def trial_page(run: Run, directory: Path, verdict: Verdict, connection: str, clock: Clock) -> Page:
    """What the run would have written, and whether the test passed."""
    page = run_page(run, directory, clock, changes=CHANGES_SHOWN, log=run.status not in ("completed", "partial"))
    word = "passed" if verdict.passed else "not passed"
    told = f"test of {run.job} against {connection}: {word}: {verdict.reason}"
    data = {**page.data, "test": {"passed": verdict.passed, "reason": verdict.reason, "connection": connection}}
    return Page(data, [*page.parts, Line(""), Line(told, "bold green" if verdict.passed else "bold red")])
