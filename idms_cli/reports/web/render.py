"""The page of a report, rendered. Text from data is escaped by the template engine, and loses its control codes."""

from datetime import timedelta
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from idms_cli import __version__
from idms_cli.config.durations import format_duration
from idms_cli.config.foreign import harmless, without_values
from idms_cli.reports.standing import GROUPS, NEEDS_YOU
from idms_cli.reports.web.gather import WebReport

TEMPLATE = "page.html"
STYLE = "page.css"


def render(report: WebReport, *, examples: bool, every: timedelta | None = None) -> str:
    """HTML of one self-contained page. `examples` shows values of rows: they may be personal data.

    `every`: how often it is made anew, for readers who wonder whether it still is.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_harmless, trim_blocks=True)
    template = environment.from_string(_part(TEMPLATE))
    return template.render(
        style=Markup(_part(STYLE)),  # noqa: S704 - our own file
        clock=report.clock,
        notices=report.notices,
        groups=[(name, report.of(name)) for name in GROUPS],
        attention=report.of(NEEDS_YOU),
        jobs=report.jobs,
        lanes=report.lanes,
        year=report.year,
        reasons=report.reasons,
        examples=examples,
        said=str if examples else without_values,
        every=format_duration(every) if every else "",
        version=__version__,
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _harmless(value: object) -> object:
    """Plain text loses its control codes; what is markup already was made by us."""
    return harmless(value) if type(value) is str else value
