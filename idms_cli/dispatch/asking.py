"""A run that asks: what a person says, who has looked, of records that may or may not have been stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from idms_cli.dispatch.runlog import run_log
from idms_cli.errors import InputError
from idms_cli.files.places import in_words
from idms_cli.history.rows import QUESTIONS, Run
from idms_cli.history.store import Store
from idms_cli.modules.workplaces import held_place
from idms_cli.records.entry import Entry
from idms_cli.records.journal import open_journal

ALL = "all"


@dataclass(frozen=True)
class Answer:
    """Which of the records in question are on the site, and which are not."""

    stored: tuple[Entry, ...]
    not_stored: tuple[Entry, ...]


def in_question(store: Store, run: Run) -> list[Entry]:
    """The records that a held run asks about; none for one that a guard holds."""
    if not run.counts.get(QUESTIONS):
        return []
    with open_journal(held_place(store.run_directory(run.id))) as journal:
        return journal.in_question()


def understood(run: Run, asked: Sequence[Entry], *, stored: str, not_stored: str) -> Answer:
    """What was said, as numbers of the records in question (from 1) or `all`. Raises `InputError` unless it is all
    that is asked, once each.
    """
    said = {
        "--stored": _numbers("--stored", stored, asked),
        "--not-stored": _numbers("--not-stored", not_stored, asked),
    }
    if not asked:
        if stored or not_stored:
            raise InputError(f"run {run.id} asks about no record", hint=f"`idms approve {run.id}` lets it go on.")
        return Answer((), ())
    both = said["--stored"] & said["--not-stored"]
    if both:
        raise InputError(f"record {min(both)} cannot be stored and not stored", hint="Name each record once.")
    open_ones = set(range(1, len(asked) + 1)) - said["--stored"] - said["--not-stored"]
    if open_ones:
        which = ", ".join(f"{number} ({in_words(asked[number - 1].line)})" for number in sorted(open_ones)[:10])
        raise InputError(
            f"run {run.id} asks whether these are on the site: {which}",
            hint=f"`idms show {run.id}` has what was sent. Say --stored NUMBERS, --not-stored NUMBERS, or all.",
        )
    entries = {option: tuple(asked[number - 1] for number in sorted(numbers)) for option, numbers in said.items()}
    return Answer(entries["--stored"], entries["--not-stored"])


def keep(store: Store, run: Run, answer: Answer, who: str) -> None:
    """Write down what was said, for the run to go on by. The caller holds the run's lock."""
    if not answer.stored and not answer.not_stored:
        return
    with open_journal(held_place(store.run_directory(run.id))) as journal:
        journal.answer(answer.stored, answer.not_stored)
    log = run_log(store.run_directory(run.id))
    for words, entries in (("is stored", answer.stored), ("is not stored", answer.not_stored)):
        for one in entries:
            log(f"{in_words(one.line)}: {words}, says {who}")


def _numbers(option: str, said: str, asked: Sequence[Entry]) -> set[int]:
    if said.strip().casefold() == ALL:
        return set(range(1, len(asked) + 1))
    numbers = set()
    for word in filter(None, (part.strip() for part in said.split(","))):
        number = int(word) if word.isdecimal() and len(word) < 10 else 0
        if not 1 <= number <= len(asked):
            hint = f"Numbers from 1 to {len(asked)} are wanted, with commas between them, or all." if asked else ""
            raise InputError(f"{option}: '{word}' is none of the records in question", hint=hint)
        numbers.add(number)
    return numbers
