"""The data of a step is shown without what is named like a secret, whatever numbers are in it."""

import json
from decimal import Decimal

from idms_cli.reports.stepdata import bounded


def test_what_is_named_like_a_secret_is_not_shown() -> None:
    sent = {"X-Api-Key": "k", "access_tokens": ["t"], "password": {"v": "p"}, "secret": "s", "name": "Ada"}
    assert set(bounded({"step": sent})["step"].items()) == {
        ("X-Api-Key", "***"),
        ("access_tokens", "***"),
        ("password", "***"),
        ("secret", "***"),
        ("name", "Ada"),
    }


def test_counts_and_steps_that_are_named_so_are_shown() -> None:
    assert bounded({"get_token": {"token": 1}}) == {"get_token": {"token": 1}}


def test_a_number_of_any_size_can_be_shown() -> None:
    assert bounded([Decimal("1.50"), Decimal(2)]) == [1.5, 2]
    assert json.dumps(bounded([Decimal("1E+999999999"), Decimal("1E+5000"), Decimal("1E-999999999")]))
