"""Which requests are sent again, and when."""

import pytest

from idms_cli.imis.retry import Failure, pause_s, tries
from idms_cli.web.retryafter import retry_after_s

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize(
    ("method", "failure", "expected"),
    [
        pytest.param("GET", Failure(None, sent=False), 5, id="get-not-sent"),
        pytest.param("GET", Failure(None), 5, id="get-lost"),
        pytest.param("GET", Failure(503), 5, id="get-503"),
        pytest.param("GET", Failure(500), 3, id="get-500"),
        pytest.param("POST", Failure(None, sent=False), 5, id="post-not-sent"),
        pytest.param("POST", Failure(None), 1, id="post-lost-is-never-repeated"),
        pytest.param("POST", Failure(500), 1, id="post-500-is-never-repeated"),
        pytest.param("POST", Failure(502), 1, id="post-502-is-never-repeated"),
        pytest.param("POST", Failure(503), 1, id="post-503-without-retry-after-is-never-repeated"),
        pytest.param("POST", Failure(503, retry_after_s=1), 5, id="post-503-with-retry-after"),
        pytest.param("POST", Failure(429), 5, id="post-429"),
        pytest.param("PUT", Failure(None), 3, id="put-lost"),
        pytest.param("PUT", Failure(500), 3, id="put-500"),
        pytest.param("PUT", Failure(502), 3, id="put-502"),
    ],
)
def test_a_request_is_repeated_only_where_that_can_do_no_harm(method, failure, expected):
    assert tries(method, failure) == expected


def test_a_page_that_can_be_made_smaller_is_not_waited_for_twice():
    assert tries("GET", Failure(None), shrinkable=True) == 1
    assert tries("GET", Failure(503), shrinkable=True) == 2
    assert tries("GET", Failure(None, sent=False), shrinkable=True) == 5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("Fri, 15 Jan 2027 08:00:30 GMT", 30.0, id="date"),
        pytest.param("Fri, 15 Jan 2027 07:00:00 GMT", 0.0, id="date-in-the-past"),
        pytest.param("soon", None, id="no-number"),
        pytest.param("-3", None, id="negative"),
        pytest.param("9" * 400, 999999999.0, id="very-long"),
    ],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    assert retry_after_s(header, NOW) == seconds


def test_a_pause_is_what_the_site_asks_for_up_to_two_minutes():
    assert pause_s(1, 7.0) == 7.0
    assert pause_s(1, 3600.0) == 120.0


@pytest.mark.parametrize(("attempt", "longest"), [(1, 1.0), (3, 4.0), (10, 20.0)])
def test_without_a_word_of_the_site_pauses_grow_with_jitter(attempt, longest):
    pauses = [pause_s(attempt, None) for _ in range(200)]
    assert 0 <= min(pauses) < longest / 2 < max(pauses) <= longest
