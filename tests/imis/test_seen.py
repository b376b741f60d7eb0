"""Keys that were met before are known again, however many there are."""

from idms_cli.imis.seen import Seen


def test_every_key_is_new_once_also_when_the_table_grows() -> None:
    seen = Seen()
    for first in range(0, 20_000, 500):
        keys = [str(number) for number in range(first, first + 500)]
        assert seen.count(keys) == 0
        assert seen.meet(keys, [1] * 500) == (list(range(500)), 0)
    everything = [str(number) for number in range(20_000)]
    assert seen.count(everything) == 20_000
    assert seen.meet(everything, [1] * 20_000) == ([], 0)


def test_what_stands_under_a_key_is_compared() -> None:
    seen = Seen()
    assert seen.meet(["a", "b", "a"], [1, -2, 1]) == ([0, 1], 0)
    assert seen.meet(["a", "b", "c"], [9, -2, 3]) == ([2], 1)


def test_rows_without_a_key_are_always_new() -> None:
    seen = Seen()
    assert seen.meet([None, "a", None], [0, 0, 0]) == ([0, 1, 2], 0)
    assert seen.meet([None, "a", None], [0, 0, 0]) == ([0, 2], 0)
    assert seen.count([None, "a"]) == 1
