"""A test of a job: its plan, and the verdict."""

from idms_cli.dispatch.trial import Verdict
from idms_cli.history.rows import Run
from idms_cli.reports.page import Line, Page

CHANGES_SHOWN = 5


def trial_page(run: Run, page: Page, verdict: Verdict, connection: str) -> Page:
    """What the run would have written, which is on `page`, and whether the test passed."""
    word = "passed" if verdict.passed else "not passed"
    told = f"test of {run.job} against {connection}: {word}: {verdict.reason}"
    data = {**page.data, "test": {"passed": verdict.passed, "reason": verdict.reason, "connection": connection}}
    return Page(data, [*page.parts, Line(""), Line(told, "bold green" if verdict.passed else "bold red")])
