"""The `schedule:` of a job as it is written: its words, checked one by one."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from idms_cli.config.checked import Section
from idms_cli.config.clocktimes import parse_date
from idms_cli.config.durations import parse_duration
from idms_cli.config.fields import Duration, ListOf, Name, TimeZone
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.jobs.schedule import one_time
from idms_cli.jobs.words import WORDS

Missed = Literal["skip", "once", "all"]
"""What becomes of slots that nobody was there for."""

UTC_ZONE: Final = ZoneInfo("UTC")

T = TypeVar("T")


_EXAMPLES: Final = {
    "hourly": "hourly: 15, or hourly: [0, 30]",
    "daily": 'daily: "02:15", or daily: ["06:00", "18:00"]',
    "weekly": "weekly: mon 06:00, or weekly: mon-fri 06:00",
    "monthly": "monthly: 15 07:00, monthly: last 23:00, or monthly: 3rd fri 07:00",
    "every": "every: 15m, every: 2h, or every: 3d",
}


def _readable(word: str) -> Callable[[str], str]:
    """A field's check: the text makes a schedule, in whatever zone."""

    def check_text(text: str) -> str:
        WORDS[word](text, UTC_ZONE)
        return text

    return check_text


class Text(str):
    """The text of a word; a number that was written there is told with an example of what is meant."""

    __slots__ = ()


def _text(word: str) -> Callable[[object], Text]:
    def check_value(value: object) -> Text:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not isinstance(value, str) and not (is_number and word == "hourly"):
            shown = f", not the number '{value}'" if is_number else ""
            raise BadValue(f"this is not what {word}: takes{shown}", hint=f"write {_EXAMPLES[word]}")
        WORDS[word](str(value), UTC_ZONE)
        return Text(value)

    return check_value


def _not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    if not items:
        raise BadValue("the list is empty", hint="write something into it, or delete the key")
    return items


def _check_end(text: str) -> str:
    if ":" in text:
        one_time(text, UTC_ZONE)
    else:
        parse_date(text)
    return text


def _jitter(value: object) -> str:
    duration = parse_duration(value)
    minutes, rest = divmod(duration.total_seconds(), 60)
    if rest or not 1 <= minutes <= 24 * 60:
        raise BadValue(
            "a jitter is from 1m to 24h, in whole minutes", hint="write 10m: it starts up to 10 minutes later"
        )
    return str(value)


CronText = Annotated[str, AfterValidator(_readable("cron"))]
OneTimeText = Annotated[str, AfterValidator(_readable("at"))]
_TEXT = WithJsonSchema({"type": "string"})
HourlyText = Annotated[Text, PlainValidator(_text("hourly")), WithJsonSchema({"type": ["integer", "string"]})]
DailyText = Annotated[Text, PlainValidator(_text("daily")), _TEXT]
WeeklyText = Annotated[Text, PlainValidator(_text("weekly")), _TEXT]
MonthlyText = Annotated[Text, PlainValidator(_text("monthly")), _TEXT]
EveryText = Annotated[Text, PlainValidator(_text("every")), _TEXT]
EndText = Annotated[str, AfterValidator(_check_end)]
JitterText = Annotated[str, PlainValidator(_jitter), _TEXT]


class Moments(Section):
    """When: one or more words, by the clock of one zone, from and until. What several words name is all due."""

    cron: CronText | ListOf[CronText] | None = None
    at: OneTimeText | ListOf[OneTimeText] | None = None
    hourly: HourlyText | ListOf[HourlyText] | None = None
    daily: DailyText | ListOf[DailyText] | None = None
    weekly: WeeklyText | ListOf[WeeklyText] | None = None
    monthly: MonthlyText | ListOf[MonthlyText] | None = None
    every: EveryText | ListOf[EveryText] | None = None
    timezone: TimeZone | None = None
    from_: EndText | None = Field(default=None, alias="from")
    until: EndText | None = None

    def words(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each word that is written, with its texts."""
        for word in WORDS:
            value: Any = getattr(self, word)
            if value is not None:
                yield word, (value,) if isinstance(value, str) else tuple(value)


Entries = Annotated[ListOf[Moments], AfterValidator(_not_empty)]


class HolidayOptions(Section):
    """What becomes of a slot on a day of a calendar."""

    calendar: Name | ListOf[Name]
    then: Literal["skip", "previous", "next"] = "skip"


class AfterOptions(Section):
    """The job whose run of the same period has to be over before."""

    job: str
    accept: Annotated[ListOf[Literal["completed", "partial"]], AfterValidator(_not_empty)] = ("completed",)


class ScheduleOptions(Moments):
    """The `schedule:` of a job."""

    any: Entries | None = None
    after: str | AfterOptions | None = None
    jitter: JitterText | None = None
    holidays: HolidayOptions | None = None
    not_during: Name | ListOf[Name] | None = None
    missed: Missed = "once"
    grace: Duration | None = None


def simple(text: str) -> tuple[str, str]:
    """The word and the rest of a schedule that is only a text: `daily 02:15`. Raises `BadValue`."""
    word, _, rest = text.strip().partition(" ")
    if word in WORDS:
        rest = rest.strip() or ("0" if word == "hourly" else "")
        if not rest and word in _EXAMPLES:
            raise BadValue(f"'{word}' alone does not say when", hint=f"write {_EXAMPLES[word]}")
        return word, rest
    if word.startswith("@") or len(text.split()) == 5:
        raise BadValue("a cron expression stands under cron:", hint=f'write {{cron: "{shortened(text.strip())}"}}')
    near = did_you_mean(word, WORDS)
    raise BadValue(f"'{shortened(word)}' is not a word of schedules", hint=near or f"write {', '.join(WORDS)}")


def _check_simple(text: str) -> str:
    word, rest = simple(text)
    WORDS[word](rest, UTC_ZONE)
    return text


SimpleText = Annotated[str, AfterValidator(_check_simple)]


def as_options(written: ScheduleOptions | tuple[Moments, ...] | str) -> ScheduleOptions:
    """The long form of a schedule that is only a list, or only a text."""
    if isinstance(written, ScheduleOptions):
        return written
    if isinstance(written, str):
        word, rest = simple(written)
        return ScheduleOptions.model_validate({word: rest})
    return ScheduleOptions(any=written)
