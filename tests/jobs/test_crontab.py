"""What cron expressions are read as, how they are told in words, and how the wrong ones are refused."""

from zoneinfo import ZoneInfo

import pytest

from idms_cli.jobs.crontab import ScheduleError, read_crontab
from idms_cli.jobs.schedule import cron
from idms_cli.jobs.wording import in_words

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("expression", "normal_form"),
    [
        pytest.param("* * * * *", "* * * * *", id="every minute"),
        pytest.param("5 4 3 2 1", "5 4 3 2 1", id="single numbers"),
        pytest.param("05 04 03 02 01", "5 4 3 2 1", id="leading zeros"),
        pytest.param("*/20 */8 */10 */5 */3", "0,20,40 0,8,16 1,11,21,31 1,6,11 0,3,6", id="steps on a star"),
        pytest.param("10-40/10 1-5/2 * * *", "10,20,30,40 1,3,5 * * *", id="steps on a range"),
        pytest.param("5,1,3-4,1 0 * * *", "1,3,4,5 0 * * *", id="a list in any order with doubles"),
        pytest.param("7-7 0 * * *", "7 0 * * *", id="a range of one number"),
        pytest.param("0 0 1 JAN-mar,Dec Mon,FRI", "0 0 1 1,2,3,12 1,5", id="names in any case"),
        pytest.param("0 0 * * 0,7", "0 0 * * 0", id="0 and 7 are Sunday"),
        pytest.param("0 0 * * 5-7", "0 0 * * 0,5,6", id="a weekend that ends with 7"),
        pytest.param("0 0 1-31 * 1", "0 0 " + ",".join(map(str, range(1, 32))) + " * 1", id="all days but not a star"),
        pytest.param(" \t15  2 * *\t*\n", "15 2 * * *", id="blanks, tabs and a line end"),
        pytest.param("@hourly", "0 * * * *", id="@hourly"),
        pytest.param("@daily", "0 0 * * *", id="@daily"),
        pytest.param("@midnight", "0 0 * * *", id="@midnight"),
        pytest.param("@Weekly", "0 0 * * 0", id="@weekly in any case"),
        pytest.param("@monthly", "0 0 1 * *", id="@monthly"),
        pytest.param("@yearly", "0 0 1 1 *", id="@yearly"),
        pytest.param("@annually", "0 0 1 1 *", id="@annually"),
    ],
)
def test_an_expression_is_read_as_crontab_5_says(expression: str, normal_form: str) -> None:
    assert read_crontab(expression).normal_form == normal_form


@pytest.mark.parametrize(
    ("expression", "follows_clock"),
    [
        ("0 2 * * *", False),
        ("0,30 0-23 * * *", False),
        ("5,*/30 2 * * *", False),  # cron looks at the first character only
        ("* 2 * * *", True),
        ("*/30 2 * * *", True),
        ("0 */2 * * *", True),
        ("@hourly", True),
        ("@daily", False),
    ],
)
def test_a_star_at_the_start_of_minute_or_hour_makes_a_job_that_follows_the_clock(
    expression: str, follows_clock: bool
) -> None:
    assert read_crontab(expression).follows_clock is follows_clock


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0,30 * * * *", "every 30 minutes"),
        ("*/15 * * * 1-5", "every 15 minutes, weekdays"),
        ("5 * * * *", "hourly at :05"),
        ("10 */6 * * *", "every 6 hours at :10"),
        ("15 2 * * *", "daily 02:15"),
        ("0 6,18 * * *", "daily 06:00, 18:00"),
        ("15 2 * * 1-5", "weekdays 02:15"),
        ("0 4 * * 0,6,3", "Wed, Sat, Sun 04:00"),
        ("@weekly", "Sun 00:00"),
        ("30 3 1 * *", "monthly on the 1st, 03:30"),
        ("0 0 2,3,11,22 * *", "monthly on the 2nd, 3rd, 11th, 22nd, 00:00"),
        ("0 12 24 dec *", "yearly on 24 Dec, 12:00"),
        ("0 0 1-31 * 1", "daily 00:00"),
        ("*/7 * * * *", "cron */7 * * * *"),
        ("0 */5 * * *", "cron 0 */5 * * *"),
        ("*/15 8-17 * * *", "cron */15 8-17 * * *"),
        ("0 0 1 * 1", "cron 0 0 1 * 1"),
        ("0 0 */2 * 1", "cron 0 0 */2 * 1"),
        ("0  2 * jan-mar MON", "cron 0 2 * jan-mar MON"),
        ("0 2 1 1,7 *", "cron 0 2 1 1,7 *"),
    ],
)
def test_common_expressions_are_told_in_words_and_the_others_as_they_are(expression: str, words: str) -> None:
    assert in_words(read_crontab(expression)) == words
    assert cron(expression, NEW_YORK).describe() == f"{words} (America/New_York)"


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("", "the cron expression is empty", "Write five fields"),
        (" \n", "the cron expression is empty", "Write five fields"),
        ("* * * *", "'* * * *' has 4 fields, and a cron expression has five", "Write five fields"),
        ("5", "'5' has 1 field, and a cron expression has five", "Write five fields"),
        ("0 0 12 * * ?", "'0 0 12 * * ?' has 6 fields, and a cron expression has five", "Quartz puts seconds first"),
        ("0 0 0 * * ? *", "'0 0 0 * * ? *' has 7 fields, and a cron expression has five", "Quartz puts seconds first"),
        ("0\u00a00 * * *", "'0\\xa00 * * *' has 4 fields, and a cron expression has five", "Write five fields"),
        ("@reboot", "'@reboot' is not a time", "let the machine's start call `idms run JOB`"),
        (
            "@fortnightly",
            "'@fortnightly' is not one of the words that cron knows",
            "@hourly, @daily, @midnight, @weekly",
        ),
        ("@daily 5", "'@daily 5' is not one of the words that cron knows", "Write one of"),
        ("60 * * * *", "'60' is outside the minute field's range", "from 0 to 59"),
        ("0 24 * * *", "'24' is outside the hour field's range", "from 0 to 23"),
        ("0 0 0 * *", "'0' is outside the day-of-month field's range", "from 1 to 31"),
        ("0 0 * 1-13 *", "'1-13' is outside the month field's range", "from 1 to 12"),
        ("0 0 * * 8", "'8' is outside the weekday field's range", "from 0 to 7"),
        ("0 22-2 * * *", "'22-2' in the hour field runs backwards", "`22-23,0-2`"),
        ("0 0 * * fri-sun", "'fri-sun' in the weekday field runs backwards", "`5-7`"),
        ("10/20 * * * *", "'10/20' in the minute field has a step on a single number", "or `10-59/20`"),
        (
            "59/15 * * * *",
            "'59/15' in the minute field has a step on a single number",
            "Write `59` for that one alone.",
        ),
        ("0 0 * * sat/2", "'sat/2' in the weekday field has a step on a single number", "or `6-7/2`"),
        ("*/0 * * * *", "'*/0' in the minute field has a step of 0", "from 1 to 60"),
        ("*/90 * * * *", "'*/90' in the minute field has a step that is longer than the field", "starts anew"),
        ("1,,2 * * * *", "the minute field has a comma with nothing beside it", "Remove the comma"),
        ("0 0 * january *", "'january' in the month field is not a number", "names (`jan`)"),
        ("mon * * * *", "'mon' in the minute field is not a number", "numbers from 0 to 59"),
        ("0 02:15 * * *", "'02:15' in the hour field is not a number", "numbers from 0 to 23"),
        ("*-5 * * * *", "'*-5' in the minute field is not a number", "a range (`1-5`)"),
        ("-5 * * * *", "'-5' in the minute field is not a number", "a range (`1-5`)"),
        ("*/ * * * *", "'*/' in the minute field is not a number", "a step (`*/2`)"),
        ("\u0663 * * * *", "'\u0663' in the minute field is not a number", "numbers from 0 to 59"),
        ("\x1b[2J * * * *", "'\\x1b[2J' in the minute field is not a number", "numbers from 0 to 59"),
        ("0 0 ? * *", "'?' in the day-of-month field: `?` is Quartz notation", "Write `*` instead"),
        ("R * * * *", "'R' in the minute field: `H` and `R` leave the time to chance", "Choose a fixed number"),
        ("H(0-29)/5 * * * *", "'H(0-29)/5' in the minute field: `H` and `R` leave", "Choose a fixed number"),
        ("0 0 L * *", "'L' in the day-of-month field: `L` and `W` are Quartz notation", "`28` exists in every month"),
        ("0 0 LW * *", "'LW' in the day-of-month field: `L` and `W` are Quartz notation", "`28` exists"),
        ("0 0 15W * *", "'15W' in the day-of-month field: `L` and `W` are Quartz notation", "`28` exists"),
        ("0 0 * * friL", "'friL' in the weekday field: `L` and `W` are Quartz notation", "`28` exists"),
        ("0 0 * * 2#2", "'2#2' in the weekday field: `#` is Quartz notation", "Name days of the month"),
    ],
)
def test_what_crontab_5_does_not_have_is_refused_with_the_field_the_value_and_a_way_out(
    expression: str, message: str, hint: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        cron(expression, NEW_YORK)
    assert message in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 feb,apr,jun *", "0 0 31 4 */2", "0 0 30-31 2 */2"])
def test_an_expression_that_can_never_come_is_refused_at_once(expression: str) -> None:
    with pytest.raises(ScheduleError, match="never comes: no month that it names has such a day") as refused:
        cron(expression, NEW_YORK)
    assert "February has 28 or 29 days" in refused.value.hint


def test_a_huge_value_is_refused_without_being_counted_or_shown_in_full() -> None:
    with pytest.raises(ScheduleError) as refused:
        read_crontab("9" * 5000 + " * * * *")
    assert str(refused.value) == f"'{'9' * 60}...' is outside the minute field's range"
