"""The morning digest: what each job did since yesterday, and what of it is unusual by the job's own past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

LEAST_DAYS = 5
"""Of fewer days nobody can say what is usual."""
FACTOR = 2.0
LEAST_DIFFERENCE = 10
"""Rows; smaller numbers vary by themselves."""

NAMES = ("read", "changed", "rejected")


@dataclass(frozen=True)
class Day:
    """What the runs of a job amount to in one stretch of 24 hours."""

    runs: int = 0
    bad: int = 0
    """Runs that failed, were partial or are held."""
    read: int = 0
    changed: int = 0
    """Records inserted, updated and deleted; of a transfer rows delivered."""
    rejected: int = 0


@dataclass(frozen=True)
class Line:
    """A job in the digest."""

    job: str
    day: Day
    past: Sequence[Day] = ()
    """Those before, in which it ran."""
    trouble: str = ""
    """In words, if it is not well now."""
    usual: Mapping[str, int] = field(default_factory=dict)


def unusual(day: Day, past: Sequence[Day]) -> dict[str, int]:
    """Which numbers of the day differ from what is usual by more than twice, with what is usual."""
    found: dict[str, int] = {}
    if len(past) < LEAST_DAYS:
        return found
    for name in NAMES:
        number, usual = getattr(day, name), round(median(getattr(one, name) for one in past))
        far = number > usual * FACTOR or number < usual / FACTOR
        if far and abs(number - usual) >= LEAST_DIFFERENCE:
            found[name] = usual
    return found


def digest(lines: Sequence[Line], until: str, *, away: Sequence[str] = ()) -> tuple[str, str]:
    """Subject and text; connections that do not work (`away`), jobs that want somebody, those with unusual numbers."""
    marks = {line.job: unusual(line.day, line.past) for line in lines}
    ordered = sorted(lines, key=lambda line: (not line.trouble, not line.day.bad, not marks[line.job], line.job))
    troubled = [line for line in ordered if line.trouble]
    odd = [line for line in ordered if marks[line.job]]
    runs = sum(line.day.runs for line in lines)
    parts = [f"{runs:,} run{'' if runs == 1 else 's'} of {len(lines)} job{'' if len(lines) == 1 else 's'}"]
    parts += [f"{len(away)} connection{'' if len(away) == 1 else 's'} down"] if away else []
    parts += [f"{len(troubled)} not well"] if troubled else [] if away else ["all well"]
    parts += [f"{len(odd)} with unusual numbers"] if odd else []
    text = [f"The 24 hours until {until}."]
    text += ["", *away] if away else []
    if troubled:
        text += ["", *(f"{line.job} {line.trouble}" for line in troubled)]
    if ordered:
        text += ["", *_table([(line, marks[line.job]) for line in ordered])]
    else:
        text += ["", "Nothing ran."]
    if odd:
        text += ["", "! = unusual for this job: more than twice, or less than half, of its median day."]
    return f"digest: {', '.join(parts)}", "\n".join([*text, "", "idms status"])


def _table(rows: Sequence[tuple[Line, Mapping[str, int]]]) -> list[str]:
    cells = [["JOB", "RUNS", "BAD", "READ", "CHANGED", "REJECTED"]]
    for line, marks in rows:
        numbers = [f"{getattr(line.day, name):,}{_mark(name, marks)}" for name in NAMES]
        cells.append([line.job, f"{line.day.runs:,}", f"{line.day.bad:,}", *numbers])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _mark(name: str, marks: Mapping[str, int]) -> str:
    return f" ! (usually {marks[name]:,})" if name in marks else ""
