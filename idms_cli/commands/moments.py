"""Moments as people write them on the command line: a date and time, a time of day, or so long from now."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from idms_cli.config.durations import parse_duration
from idms_cli.config.problems import BadValue
from idms_cli.reports.wording import Clock

YEARS = range(1970, 3000)
"""As the schedules count."""


def exact_moment(text: str, zone: ZoneInfo, option: str) -> datetime:
    """`2026-12-01 02:15` by the clock of the zone, or with an offset of its own. Raises `click.BadParameter`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no time; write it like 2026-12-01 02:15", param_hint=option) from None
    if moment.year not in YEARS:
        raise click.BadParameter(f"'{text}' is not in the years {YEARS[0]} to {YEARS[-1]}", param_hint=option)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def moment_ago(text: str, clock: Clock, option: str) -> datetime:
    """So long ago (`2d`), or a date, or a date and time. Raises `click.BadParameter`."""
    try:
        return clock.now - parse_duration(text)
    except OverflowError:  # longer ago than the calendar reaches
        return datetime.min.replace(tzinfo=UTC)
    except BadValue:
        return _date(text, clock.zone, option)


def moment_ahead(text: str, clock: Clock, option: str) -> datetime:
    """In so long (`2d`), a time of day (the next `06:00`), a date, or a date and time.

    Raises `click.BadParameter`, also for what is past.
    """
    moment = _ahead(text, clock, option)
    if moment <= clock.now:
        raise click.BadParameter(f"'{text}' is past: it is {clock.exact(clock.now)}", param_hint=option)
    return moment


def _ahead(text: str, clock: Clock, option: str) -> datetime:
    try:
        return clock.now + parse_duration(text)
    except OverflowError:
        raise click.BadParameter(f"'{text}' is longer than the calendar reaches", param_hint=option) from None
    except BadValue:
        pass
    try:
        time_of_day = time.fromisoformat(text)
    except ValueError:
        return _date(text, clock.zone, option)
    today = datetime.combine(clock.now.astimezone(clock.zone), time_of_day.replace(tzinfo=None), clock.zone)
    return today if today > clock.now else today + timedelta(days=1)


def _date(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"'{text}' is neither a duration (2d) nor a date (2026-11-01)"
        raise click.BadParameter(message, param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
