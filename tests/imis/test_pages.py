"""Rows in pages, and pages that cannot be right."""

import pytest

from idms_cli.errors import InputError, SiteError
from idms_cli.imis.answers import SiteSlow
from idms_cli.imis.pages import Pages, Unique, parse


def rows(*numbers):
    return [{"ID": str(number)} for number in numbers]


def page(items, *, offset=0, total, has_next=None, next_offset=None):
    after = offset + len(items)
    has_next = total > after if has_next is None else has_next
    next_offset = (after if has_next else 0) if next_offset is None else next_offset
    return {"Items": {"$values": items}, "TotalCount": total, "HasNext": has_next, "NextOffset": next_offset}


class Script:
    """Gives the pages of a test one after the other, and remembers what was asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    def __call__(self, limit, offset, shrinkable):
        self.asked.append((limit, offset))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return parse(reply, offset, "Query X")


def read(script, *, size=100, key=True, log=None):
    pages = Pages(
        script,
        what="Query X",
        size=size,
        log=(log if log is not None else []).append,
        by=Unique(lambda row: row["ID"]) if key else None,
    )
    return [int(row["ID"]) for row in pages.rows()]


def test_pages_are_followed_to_the_last():
    script = Script(page(rows(1, 2), total=5), page(rows(3, 4), offset=2, total=5), page(rows(5), offset=4, total=5))
    assert read(script, size=2) == [1, 2, 3, 4, 5]
    assert script.asked == [(2, 0), (2, 2), (2, 4)]


def test_the_first_page_is_given_before_the_second_is_asked_for():
    script = Script(page(rows(1, 2), total=4), page(rows(3, 4), offset=2, total=4))
    given = Pages(script, what="Query X", size=2, log=print).rows()
    next(given)
    assert len(script.asked) == 1


def test_a_result_without_rows_is_empty():
    assert read(Script(page([], total=0))) == []


def test_a_page_that_repeats_once_is_asked_for_again():
    again = page(rows(1, 2), total=4, has_next=True, next_offset=4)
    script = Script(page(rows(1, 2), total=4), again, page(rows(3, 4), offset=2, total=4))
    assert read(script, size=2, key=False) == [1, 2, 3, 4]


def test_a_page_that_keeps_repeating_is_an_error_and_not_an_endless_loop():
    first = page(rows(1, 2), total=9, has_next=True, next_offset=2)
    with pytest.raises(SiteError, match="offset 2 repeats the page before it"):
        read(Script(first, first, first, first), size=2, key=False)


def test_pages_of_equal_rows_do_not_count_as_repeated():
    same_rows = [{"ID": "7"}, {"ID": "7"}]
    script = Script(page(same_rows, total=4), page(same_rows, offset=2, total=4))
    assert read(script, size=2, key=False) == [7, 7, 7, 7]


def test_an_empty_page_is_asked_for_again_and_in_the_end_an_error():
    empty = page([], offset=2, total=4, has_next=True, next_offset=2)
    first = page(rows(1, 2), total=4)
    assert read(Script(first, empty, page(rows(3, 4), offset=2, total=4)), size=2) == [1, 2, 3, 4]
    with pytest.raises(SiteError, match="offset 2 is empty, though more are said to follow"):
        read(Script(first, empty, empty, empty), size=2)


def test_a_next_offset_that_does_not_grow_is_an_error():
    backwards = page(rows(3, 4), offset=2, total=9, next_offset=1)
    with pytest.raises(SiteError, match="offset 2 leads to offset 1"):
        read(Script(page(rows(1, 2), total=9), backwards, backwards, backwards), size=2)


def test_an_overlapping_page_is_asked_for_again():
    overlapping = page(rows(2, 3), offset=2, total=4)
    script = Script(page(rows(1, 2), total=4), overlapping, page(rows(3, 4), offset=2, total=4))
    assert read(script, size=2) == [1, 2, 3, 4]


def test_rows_that_keep_coming_twice_are_given_once_and_noted():
    log = []
    overlapping = page(rows(2, 3), offset=2, total=4)
    assert read(Script(page(rows(1, 2), total=4), *[overlapping] * 3), size=2, log=log) == [1, 2, 3]
    assert log[-1] == "Query X: 3 rows came, the site counts 4; the data changed, or rows repeat"


def test_rows_that_differ_but_share_the_key_are_not_dropped_silently():
    same_key = [{"ID": "1", "Course": "A"}, {"ID": "1", "Course": "B"}]
    with pytest.raises(InputError, match="'1' stands in two different rows"):
        read(Script(page(same_key, total=2)))


def courses(*pairs):
    return [{"ID": str(number), "Course": course} for number, course in pairs]


def read_courses(script, log):
    pages = Pages(
        script,
        what="Query X",
        size=2,
        log=log.append,
        by=Unique(lambda row: row["ID"], lambda row: hash(row["Course"])),
    )
    return [(row["ID"], row["Course"]) for row in pages.rows()], pages


def test_rows_of_different_pages_that_share_the_key_and_differ_are_not_dropped_silently():
    second = page(courses((1, "B"), (3, "A")), offset=2, total=4)
    script = Script(page(courses((1, "A"), (2, "A")), total=4), second, second, second)
    with pytest.raises(InputError, match="1 rows have the key of an earlier row and say something else, so"):
        read_courses(script, [])


def test_a_row_that_moved_while_it_was_changed_is_given_once_and_nothing_is_wrong():
    second = page(courses((1, "B"), (3, "A")), offset=2, total=3)
    script = Script(page(courses((1, "A"), (2, "A")), total=3, has_next=True), second, second, second)
    found, pages = read_courses(script, [])
    assert found == [("1", "A"), ("2", "A"), ("3", "A")]
    assert pages.is_whole


def test_rows_that_are_there_twice_in_the_data_are_given_once_and_told():
    log = []
    second = page(courses((1, "A"), (3, "A")), offset=2, total=4)
    found, pages = read_courses(Script(page(courses((1, "A"), (2, "A")), total=4), second, second, second), log)
    assert [key for key, _ in found] == ["1", "2", "3"]
    assert not pages.is_whole
    assert "3 rows came, the site counts 4" in log[-1]


def test_pages_that_always_overlap_are_asked_for_again_only_at_first():
    offsets = range(2, 22, 2)
    overlapping = [page(courses((1, "A"), (offset, "A")), offset=offset, total=22) for offset in offsets]
    asked_thrice = [each for each in overlapping[:3] for _ in range(3)]
    script = Script(page(courses((0, "A"), (1, "A")), total=22), *asked_thrice, *overlapping[3:])
    read_courses(script, [])
    assert script.replies == []


def test_equal_rows_of_one_page_are_given_once():
    assert read(Script(page(rows(1, 1, 2), total=3))) == [1, 2]


def test_when_earlier_rows_vanish_the_rows_that_moved_up_are_not_lost():
    log = []
    script = Script(
        page(rows(1, 2), total=5),
        page(rows(4, 5), offset=2, total=4),
        page(rows(3, 4), offset=1, total=4, has_next=True, next_offset=3),
        page(rows(5), offset=3, total=4),
    )
    assert read(script, size=2, log=log) == [1, 2, 3, 4, 5]
    assert script.asked == [(2, 0), (2, 2), (2, 1), (2, 3)]
    assert "the number of rows changed from 5 to 4" in log[0]


def test_a_page_that_is_too_slow_is_asked_for_in_halves():
    slow = SiteSlow("no answer.")
    script = Script(slow, slow, page(rows(1), total=2, has_next=True), page(rows(2), offset=1, total=2))
    assert read(script, size=500) == [1, 2]
    assert script.asked == [(500, 0), (250, 0), (125, 0), (125, 1)]


def test_the_smallest_page_is_waited_for_with_patience():
    seen = []

    def fetch(limit, offset, shrinkable):
        seen.append((limit, shrinkable))
        if shrinkable:
            raise SiteSlow("no answer.")
        return parse(page(rows(1), total=1), offset, "Query X")

    assert read(fetch, size=60) == [1]
    assert seen == [(60, True), (30, True), (25, False)]


@pytest.mark.parametrize("content", [None, [], {"Items": {"$values": "x"}}, {"Items": {"$values": [1]}}, "text"])
def test_something_else_than_a_page_is_an_error(content):
    with pytest.raises(SiteError, match="not a page of rows"):
        read(Script(content))
