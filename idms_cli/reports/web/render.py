"""The page of a report, rendered. Text from data is escaped by the template engine, and loses its control codes."""

from collections import Counter
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from idms_cli import __version__
from idms_cli.config.foreign import harmless
from idms_cli.reports.standing import GROUPS, NEEDS_YOU
from idms_cli.reports.web.gather import AROUND, Lane, WebReport

TEMPLATE = "page.html"


def render(report: WebReport, *, examples: bool) -> str:
    """HTML of one self-contained page. `examples` shows cells of rejected rows: they may be personal data."""
    clock = report.clock
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_harmless, trim_blocks=True)
    template = environment.from_string(files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    return template.render(
        clock=clock,
        banner=report.banner,
        groups=[(name, report.of(name)) for name in GROUPS],
        attention=report.of(NEEDS_YOU),
        jobs=report.jobs,
        lanes=report.lanes,
        lanes_more=report.lanes_more,
        lane_told=_lane_told,
        begin=clock.now - AROUND,
        end=clock.now + AROUND,
        year=report.year,
        reasons=report.reasons,
        examples=examples,
        version=__version__,
    )


def _lane_told(lane: Lane) -> str:
    numbers = Counter(mark.status for mark in lane.marks)
    return ", ".join(f"{number} {status}" for status, number in numbers.items())


def _harmless(value: object) -> object:
    """Plain text loses its control codes; what is markup already was made by us."""
    return harmless(value) if type(value) is str else value
