"""Job files that are wrong, each in another way, and what must be told of them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands.conftest import GOOD

CRON_FORM = "Write five fields, minute hour day-of-month month weekday: `15 2 * * 1-5` is 02:15 from Monday to Friday."
RIGHTS = "A job runs with this account's rights: only its owner and root may be able to change it."


@dataclass(frozen=True)
class Bad:
    """A file that is wrong, and all that must be told of it; {file} stands for its path."""

    id: str
    content: str | bytes | Callable[[Path], None]
    told: str
    name: str = "bad.yaml"


def _with_schedule(schedule: str) -> str:
    return f"{GOOD}schedule: {schedule}\n"


def _writable_by_others(path: Path) -> None:
    path.write_text(GOOD)
    path.chmod(0o646)


def _writable_by_a_group(path: Path) -> None:
    path.write_text(GOOD)
    others = [gid for gid in os.getgroups() if gid != os.getegid()]
    if os.geteuid() != 0 and not others:
        pytest.skip("this account is in one group only")
    os.chown(path, -1, 1 if os.geteuid() == 0 else others[0])
    path.chmod(0o660)


def _second_file(path: Path) -> None:
    path.write_text(GOOD)
    path.with_suffix(".yml").write_text(GOOD)


def _link_to_a_file_of_others(path: Path) -> None:
    target = path.parent.parent / "elsewhere.yaml"
    target.write_text(GOOD)
    target.chmod(0o666)
    path.symlink_to(target)


def _name_in_latin_1(path: Path) -> None:
    Path(os.fsdecode(os.fsencode(path.parent) + b"/caf\xe9.yaml")).write_text(GOOD)


BAD = [
    Bad(
        "a key twice",
        GOOD + "description: Other\n",
        "{file}:9:1: the key 'description' is here twice; it stands in line 1 already\n    hint: delete one of the two",
    ),
    Bad(
        "a tab",
        "module: import\nwith:\n\tsource: x\n",
        "{file}:3:1: a tab is used for indentation\n    hint: use spaces, never tabs",
    ),
    Bad(
        "a broken byte",
        b"module: import\ndescription: Caf\xe9\n",
        "{file}:2:17: the byte 0xE9 is not UTF-8\n    hint: save the file as UTF-8; in Windows-1252 this byte is 'é'",
    ),
    Bad(
        "a control character",
        b"module: import\ndescription: a\x1b[31mb\n",
        "{file}:2:15: a control character (U+001B) stands in the text\n    hint: delete it",
    ),
    Bad(
        "UTF-16",
        GOOD.encode("utf-16"),
        "{file}:1:1: the file is UTF-16 text, not UTF-8\n    hint: save it again as UTF-8",
    ),
    Bad(
        "a bomb",
        "a: &a [x, x]\nb: [*a, *a]\n",
        "{file}:2:5: anchors ('&') and aliases ('*') are not read; this one stands for the value in line 1\n"
        "    hint: write the values out",
    ),
    Bad(
        "100,000 levels of lists",
        "a: " + "[" * 100_000,
        "{file}:1:43: nested too deeply (more than 40 levels)\n    hint: make the file flatter",
    ),
    Bad(
        "100,000 levels of mappings",
        "a: " + "{a: " * 100_000,
        "{file}:1:160: nested too deeply (more than 40 levels)\n    hint: make the file flatter",
    ),
    Bad("nothing", "", "{file}:1:1: the file is empty\n    hint: write at least one 'key: value'"),
    Bad("only a comment", "# soon\n", "{file}:1:1: the file is empty\n    hint: write at least one 'key: value'"),
    Bad(
        "a list",
        "- a\n",
        "{file}:1:1: the top of the file must be keys with values\n"
        "    hint: write 'key: value', with a space after ':'",
    ),
    Bad(
        "two documents",
        GOOD + "---\n" + GOOD,
        "{file}:9:1: a second document starts here\n    hint: keep one document in one file",
    ),
    Bad(
        "2 MB",
        "#" * 2_000_000,
        "{file}:1:1: the file is larger than 1 MiB\n    hint: split it into several files",
    ),
    Bad(
        "two files of one name",
        _second_file,
        "{file}:1:1: two files make the job bad\n    value: bad\n"
        "    hint: Remove one of them: {file}, {folder}/bad.yml.\n"
        "{folder}/bad.yml:1:1: two files make the job bad\n    value: bad\n"
        "    hint: Remove one of them: {file}, {folder}/bad.yml.",
    ),
    Bad(
        "an unsafe name",
        GOOD,
        "{file}:1:1: this file name is no safe job name\n    value: a b\n"
        "    hint: Use letters, digits, - and _ (at most 100), beginning with a letter or digit.",
        name="a b.yaml",
    ),
    Bad(
        "a name with terminal codes",
        GOOD,
        "{folder}/a\\x1b[31m.yaml:1:1: this file name is no safe job name\n    value: a\\x1b[31m\n"
        "    hint: Use letters, digits, - and _ (at most 100), beginning with a letter or digit.",
        name="a\x1b[31m.yaml",
    ),
    Bad(
        "a name that is not UTF-8",
        _name_in_latin_1,
        "{folder}/caf\\udce9.yaml:1:1: this file name is no safe job name\n    value: caf\\udce9\n"
        "    hint: Use letters, digits, - and _ (at most 100), beginning with a letter or digit.",
    ),
    Bad(
        "an unknown key",
        GOOD + "shedule: {cron: '* * * * *'}\n",
        "{file}:9:1: the key 'shedule' is not known here\n    hint: did you mean 'schedule'?",
    ),
    Bad(
        "an unknown key below",
        GOOD.replace("path:", "paht:"),
        "{file}:4:3: the key 'path' is missing\n    hint: needed here: path\n"
        "{file}:4:12: the key 'paht' is not known here\n    hint: did you mean 'path'?",
    ),
    Bad(
        "an unknown module",
        GOOD.replace("import", "inport"),
        "{file}:2:9: there is no such module\n    value: inport\n    hint: did you mean 'import'?",
    ),
    Bad(
        "missing keys",
        "description: Scores\n",
        "{file}:1:1: the key 'module' is missing\n    hint: needed here: module, with\n"
        "{file}:1:1: the key 'with' is missing\n    hint: needed here: module, with",
    ),
    Bad(
        "wrong types",
        "description: 5\nmodule: import\nenabled: 'yes'\ntimeout: 5\nwith: []\n",
        "{file}:1:14: text is wanted here, not the number '5'\n    hint: put it in quotes: \"5\"\n"
        "{file}:3:10: true or false is wanted here, not the text 'yes'\n    hint: write true, without quotes\n"
        "{file}:4:10: a duration is wanted here\n    value: 5\n"
        "    hint: write a number and a unit: 30s, 5m, 2h, 1d, or together 1h30m\n"
        "{file}:5:1: a mapping (key: value) is wanted here, not a list",
    ),
    Bad(
        "mistakes in the job and in its module",
        GOOD.replace("match: [ID, Course]", "match: ID") + "timeout: soon\n",
        "{file}:7:10: a list is wanted here, not the text 'ID'\n    hint: write it as a list: [ID]\n"
        "{file}:9:10: a duration is wanted here\n    value: soon\n"
        "    hint: write a number and a unit: 30s, 5m, 2h, 1d, or together 1h30m",
    ),
    Bad(
        "a cron field out of range",
        _with_schedule("{cron: '61 * * * *'}"),
        "{file}:9:18: '61' is outside the minute field's range\n    value: 61 * * * *\n"
        "    hint: Write a number from 0 to 59.",
    ),
    Bad(
        "a cron field too few",
        _with_schedule("{cron: '* * * *'}"),
        "{file}:9:18: '* * * *' has 4 fields, and a cron expression has five\n    hint: " + CRON_FORM,
    ),
    Bad(
        "a cron word of Quartz",
        _with_schedule("{cron: '0 0 ? * 1'}"),
        "{file}:9:18: '?' in the day-of-month field: `?` is Quartz notation, which crontab(5) does not have\n"
        "    value: 0 0 ? * 1\n    hint: Write `*` instead.",
    ),
    Bad(
        "@reboot",
        _with_schedule("{cron: '@reboot'}"),
        "{file}:9:18: '@reboot' is not a time: idms is called anew every minute and knows of no start of the machine\n"
        "    hint: Name a time, or let the machine's start call `idms run JOB`.",
    ),
    Bad(
        "cron without quotes",
        _with_schedule("{cron: */5 * * * *}"),
        "{file}:9:18: an unquoted value cannot start with '*' or '&'\n"
        '    hint: put it in quotes, a cron expression for example: "*/5 * * * *"',
    ),
    Bad(
        "a date that never comes",
        _with_schedule("{cron: '0 0 30 2 *'}"),
        "{file}:9:18: '0 0 30 2 *' never comes: no month that it names has such a day\n"
        "    hint: Look at the day-of-month and month fields: February has 28 or 29 days, four months have 30.",
    ),
    Bad(
        "a schedule that does not say when",
        _with_schedule("{timezone: UTC}"),
        "{file}:9:1: the schedule does not say when\n"
        '    hint: Write `cron: "15 2 * * *"` or `daily: "02:15"` for a recurring job, '
        "`at: 2026-12-01 06:00` for a one-time job.",
    ),
    Bad(
        "a day that is none",
        _with_schedule("{at: 2026-13-01 06:00}"),
        "{file}:9:16: '2026-13-01 06:00' is not in the calendar of 1970 to 2999\n"
        "    hint: Check the year, the month, the day of the month and the minute.",
    ),
    Bad(
        "an unknown zone",
        _with_schedule("{cron: '* * * * *', timezone: America/NewYork}"),
        "{file}:9:41: there is no time zone 'America/NewYork'\n    hint: did you mean 'America/New_York'?",
    ),
    Bad(
        "an unknown connection",
        GOOD + "connection: tset\n",
        "{file}:9:13: there is no connection 'tset' in idms.yaml\n    hint: did you mean 'test'?",
    ),
    Bad(
        "writable by anybody",
        _writable_by_others,
        "{file}:1:1: the file may be written by anybody (mode 0646)\n    hint: " + RIGHTS,
    ),
    Bad(
        "writable by a group",
        _writable_by_a_group,
        "{file}:1:1: the file may be written by a group (mode 0660)\n    hint: " + RIGHTS,
    ),
    Bad(
        "a link to a file of others",
        _link_to_a_file_of_others,
        "{file}:1:1: the file may be written by anybody (mode 0666)\n    hint: " + RIGHTS,
    ),
    Bad(
        "a link to nowhere",
        lambda path: path.symlink_to("nowhere"),
        "{file}:1:1: the link leads nowhere\n    value: nowhere\n    hint: Mend the link, or remove it.",
    ),
    Bad(
        "a link to itself",
        lambda path: path.symlink_to("bad.yaml"),
        "{file}:1:1: the link leads nowhere\n    value: bad.yaml\n    hint: Mend the link, or remove it.",
    ),
    Bad(
        "a directory",
        lambda path: path.mkdir(),
        "{file}:1:1: the file is not a regular file\n    hint: Put a YAML file in its place, or remove it.",
    ),
    Bad(
        "a FIFO",
        os.mkfifo,
        "{file}:1:1: the file is not a regular file\n    hint: Put a YAML file in its place, or remove it.",
    ),
]
