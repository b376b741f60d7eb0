"""More requests at once change how long it takes, and nothing else."""

import random

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Done, Office, graded

ROWS = 200


def rows() -> str:
    """New results, changed ones, ones that stay, doubles, rows that are wrong and rows that the site refuses."""
    dice = random.Random(7)
    lines = ["member,course,grade"]
    for number in range(ROWS - 8):
        grade = dice.choice(["A", "B", "Z"])
        lines.append(f"{101 + number},Bookbinding,{grade}")
    lines += ["101,Bookbinding,C", "102,Bookbinding", "999998,Bookbinding,A", "999999,Bookbinding,A"]
    lines += [",Bookbinding,A", "120,Gilding,A", "120,Gilding,A", "120,gilding,B"]
    return "\n".join([*lines, ""])


def run(office: Office, site: Sandbox, concurrency: int) -> tuple[Done, list[tuple[str, str, str]]]:
    existing = [{"ID": str(number), "Course": "Bookbinding", "Grade": "A"} for number in range(101, 180)]
    site.add_rows("ABC_Scores", existing)
    office.connection = f"rate: 100000/s, settle: 0s, concurrency: {concurrency}"
    done = office.run(graded(), rows())
    there = [(str(row["ID"]), str(row["Course"]), str(row["Grade"])) for row in site.rows("ABC_Scores")]
    return done, sorted(there)


def test_four_at_once_give_the_same_as_one_at_a_time(office: Office, site: Sandbox) -> None:
    alone, alone_there = run(office, site, 1)
    with pytest.MonkeyPatch.context() as patch:
        from idms_cli.sandbox.server import serve

        other = Sandbox()
        with serve(other) as url:
            patch.setattr(office, "url", url)
            together, together_there = run(office, other, 4)
    assert alone.counts.rejected > 60
    assert together.counts == alone.counts
    assert together.rejects == alone.rejects
    assert together.skipped == alone.skipped
    assert together_there == alone_there
    assert site.calls["peak_concurrent"] == 1


def test_never_are_more_requests_at_once_than_the_connection_allows(office: Office, site: Sandbox) -> None:
    site.latency_s = 0.002
    run(office, site, 4)
    assert 2 <= site.calls["peak_concurrent"] <= 4
