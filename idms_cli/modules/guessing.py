"""What the columns of a file probably are: which property, how dates and numbers are written, what tells rows apart."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from idms_cli.imis.properties import Property
from idms_cli.records.conversions import converter
from idms_cli.records.dates import date_reader
from idms_cli.records.faults import Fault
from idms_cli.records.forms import stripped
from idms_cli.records.numbers import SAMPLES, number_reader

DATE_FORMATS = (
    None, "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
    "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y%m%d",
)  # fmt: skip
"""How dates are looked for; None is ISO. Where two fit, the earlier one is taken, and the other told."""
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")

_NEAR = 0.8
_SHORTEST_PART = 4
_MOST_VALUES = 200
_MOST_EXTRA = 3
# What people call a member's number, and a few members of a contact.
_CONTACT_WORDS = frozenset(
    {"id", "imisid", "member", "memberid", "memberno", "membernumber", "contact", "contactid", "partyid", "customerid"}
)
_SYNONYMS = {
    "surname": "lastname", "familyname": "lastname", "forename": "firstname", "givenname": "firstname",
    "nickname": "informalname", "salutation": "prefix", "company": "organizationname", "employer": "organizationname",
    "organization": "organizationname", "jobtitle": "title", "mail": "email", "emailaddress": "email",
    "mobile": "mobilephone", "cell": "mobilephone", "cellphone": "mobilephone", "telephone": "phone",
    "zip": "postalcode", "zipcode": "postalcode", "postcode": "postalcode", "street": "address1", "town": "city",
    "dob": "birthdate", "birthday": "birthdate", "dateofbirth": "birthdate", "sex": "gender",
}  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """A column and the property that it probably is."""

    index: int
    column: str
    target: Property
    date: str | None = None
    number: str | None = None
    doubts: tuple[str, ...] = ()
    """Why somebody should look; empty when name and rows agree."""


@dataclass(frozen=True)
class Sample:
    """The columns of a file and some of its rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def values(self, index: int) -> list[str]:
        """Some different cells of a column, without blank ones."""
        found = dict.fromkeys(stripped(row[index]) for row in self.rows)
        return [value for value in found if value][:_MOST_VALUES]


def guess_map(sample: Sample, properties: Mapping[str, Property], owner: Collection[str] = ()) -> list[Guess]:
    """The columns that are probably a property, in the order of the file; each property and column once.

    Equal names (without regard to case, space and marks) go before words that mean the same and before similar ones.
    `owner` are the properties that hold a contact's ID.
    """
    possible = [one for one in properties.values() if (one.key or not one.read_only) and one.type != "Binary"]
    numbers = {name.casefold() for name in (*owner, "ID") if not name.endswith("Key")}
    scored = [
        (score, -index, target, column)
        for index, column in enumerate(sample.columns)
        for target in possible
        if (score := _likeness(column, target.name, is_contact=target.name.casefold() in numbers)) >= _NEAR
    ]
    found: dict[str, Guess] = {}
    taken: set[int] = set()
    for score, place, target, column in sorted(scored, key=lambda one: one[:2], reverse=True):
        if target.name in found or -place in taken:
            continue
        guess = _with_formats(sample, -place, column, target, is_sure=score >= 1)
        if guess is not None:
            found[target.name] = guess
            taken.add(-place)
    return sorted(found.values(), key=lambda guess: guess.index)


def guess_match(
    sample: Sample, guesses: Sequence[Guess], base: Sequence[str], too_wide: Callable[[Sequence[str]], bool]
) -> tuple[str, ...]:
    """The properties that tell the rows apart: those of `base` that are mapped, and as few more as it takes.

    Empty when no choice does. `too_wide` says that a choice finds more records than it should.
    """
    mapped = {guess.target.name: guess for guess in guesses}
    fixed = [name for name in base if name in mapped]
    others = [guess for guess in guesses if guess.target.name not in fixed and _tells_apart(guess.target)]
    others.sort(key=lambda guess: not guess.target.required)
    for more in _choices([guess.target.name for guess in others]):
        names = [*fixed, *more]
        if names and not too_wide(names) and _is_unique(sample, [mapped[name] for name in names], guesses):
            return tuple(names)
    return ()


def _choices(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(_MOST_EXTRA + 1):
        yield from combinations(names, size)


def _is_unique(sample: Sample, chosen: Sequence[Guess], guesses: Sequence[Guess]) -> bool:
    rows = {tuple(row[guess.index].strip() for guess in guesses) for row in sample.rows}  # same rows are no matter
    places = [guesses.index(guess) for guess in chosen]
    return len({tuple(row[place].casefold() for place in places) for row in rows}) == len(rows)


def _tells_apart(target: Property) -> bool:
    return target.type in ("String", "Integer", "Date")


def _likeness(column: str, name: str, *, is_contact: bool) -> float:
    """1 for the same name, less for one that is probably meant, 0 for another."""
    one, other = _plain(column), _plain(name)
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    if _SYNONYMS.get(one) == other or (is_contact and one in _CONTACT_WORDS) or _inside_out(column) == other:
        return 0.95
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= _SHORTEST_PART and (longer.startswith(shorter) or longer.endswith(shorter)):
        return 0.9
    if one[0] != other[0]:  # course_code is no SOURCE_CODE
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return min(matcher.ratio(), 0.89) if matcher.real_quick_ratio() >= _NEAR else 0.0


def _inside_out(column: str) -> str:
    """`name.first`, a value inside another one, as people would name it by itself: `firstname`."""
    return "".join(map(_plain, reversed(column.split("."))))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _with_formats(sample: Sample, index: int, column: str, target: Property, *, is_sure: bool) -> Guess | None:
    """The guess with what its cells say; None when only the name is similar and the cells are something else."""
    values = sample.values(index)
    date = number = None
    doubts: list[str] = []
    if target.type == "Date":
        date, doubts = _guess_date(values)
    elif target.type in ("Integer", "Decimal", "Monetary"):
        number, doubts = _guess_number(values)
    convert = converter(target, date_format=date, number=number)
    faults = [made.message for value in values if isinstance(made := convert(value), Fault)]
    if not is_sure and target.type != "String" and len(faults) * 2 > len(values):
        return None
    if faults:
        doubts.append(f"{len(faults)} of {len(values)} different values do not fit. {faults[0]}")
    if not is_sure:
        doubts.insert(0, "the names are only similar")
    return Guess(index, column, target, date, number, tuple(doubts))


def _guess_date(values: Sequence[str]) -> tuple[str | None, list[str]]:
    readings: dict[str | None, Sequence[object]] = {}
    for date in DATE_FORMATS:
        for time in ("",) if date is None else _TIMES:
            form = None if date is None else date + time
            readings[form] = list(map(date_reader(form), values))
    return _best(readings)


def _guess_number(values: Sequence[str]) -> tuple[str | None, list[str]]:
    readings: dict[str | None, Sequence[object]] = {
        sample: list(map(number_reader(sample), values)) for sample in SAMPLES
    }
    best, doubts = _best(readings)
    return (None if best == SAMPLES[0] else best), doubts


def _best(readings: Mapping[str | None, Sequence[object]]) -> tuple[str | None, list[str]]:
    """The first of the ways that read most values, and a doubt where another one reads as many otherwise."""
    counts = {way: sum(value is not None for value in read) for way, read in readings.items()}
    best = max(counts, key=lambda way: counts[way])
    if not counts[best]:
        return None, []
    rival = next((way for way in readings if counts[way] == counts[best] and readings[way] != readings[best]), None)
    return best, [f"it could be {rival} too"] if rival is not None else []
