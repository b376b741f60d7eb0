"""A secret never prints, and every form of it in a text becomes ***."""

import base64
import copy
import json
import logging
import pickle
import re
import traceback
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.config.redaction import Redactor, redact
from idms_cli.config.secrets import Secret, mask

CANARY = 'cAn4ry "p/ss+wörd"\\&%'


@dataclass(frozen=True)
class Login:
    user: str
    password: Secret


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(str, id="str"),
        pytest.param(repr, id="repr"),
        pytest.param(lambda secret: f"{secret} {secret!r} {secret:>20} %s" % secret, id="format"),
        pytest.param(lambda secret: repr([secret, {"a": secret}]), id="in-containers"),
        pytest.param(lambda secret: repr(Login("u", secret)), id="in-a-dataclass"),
        pytest.param(lambda secret: str(asdict(Login("u", secret))), id="asdict"),
        pytest.param(lambda secret: repr(copy.deepcopy(secret)) + repr(copy.copy(secret)), id="copies"),
    ],
)
def test_a_secret_never_prints(shown: object) -> None:
    text = shown(Secret(CANARY))  # type: ignore[operator]
    assert "***" in text
    assert "cAn4ry" not in text


def test_a_secret_gives_its_value_only_when_asked() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_a_secret_is_neither_pickled_nor_json() -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps({"password": Secret(CANARY)})


def test_a_secret_has_no_dict_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_secrets_compare_by_value() -> None:
    assert Secret("one-secret") == Secret("one-secret")
    assert Secret("one-secret") != Secret("another-secret")
    assert Secret("one-secret") != "one-secret"
    assert len({Secret("one-secret"), Secret("one-secret")}) == 1


def refuse_login(secret: Secret) -> None:
    raise RuntimeError(f"cannot log in with {secret.reveal()}")


def test_a_traceback_that_was_masked_holds_no_secret() -> None:
    with pytest.raises(RuntimeError) as caught:
        refuse_login(Secret("tr4ceback-canary"))
    text = "".join(traceback.format_exception(caught.value))
    assert "tr4ceback-canary" in text
    assert "tr4ceback-canary" not in mask(text)


def test_a_logged_secret_is_stars(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("login with %s", Secret(CANARY))
    assert caplog.messages == ["login with ***"]


@pytest.mark.parametrize(
    "appearance",
    [
        pytest.param(CANARY, id="plain"),
        pytest.param(json.dumps({"password": CANARY}), id="json"),
        pytest.param(json.dumps({"password": CANARY}, ensure_ascii=False), id="json-utf-8"),
        pytest.param(repr({"password": CANARY}), id="repr"),
        pytest.param(repr(CANARY.encode()), id="bytes-repr"),
        pytest.param("https://h/" + quote(CANARY), id="url-path"),
        pytest.param("https://h/?" + urlencode({"p": CANARY}), id="url-query"),
        pytest.param(re.sub("%..", lambda code: code[0].lower(), quote(CANARY, safe="")), id="url-lower-case-codes"),
        pytest.param(base64.b64encode(CANARY.encode()).decode(), id="base64"),
        pytest.param(base64.urlsafe_b64encode(CANARY.encode()).decode(), id="base64-url"),
        pytest.param(CANARY.encode().hex(), id="hex"),
    ],
)
def test_every_form_of_a_secret_is_masked(appearance: str) -> None:
    masked = redact(f"before {appearance} after", [CANARY])
    assert "***" in masked
    for part in ("cAn4ry", "p/ss", "p%2Fss", "p%2fss", CANARY.encode().hex()[4:20]):
        assert part not in masked


@pytest.mark.parametrize("user", ["u", "us", "use", "user"])
def test_a_basic_authorization_header_is_masked_at_every_alignment(user: str) -> None:
    header = base64.b64encode(f"{user}:long-pass-word".encode()).decode()
    masked = redact(f"Authorization: Basic {header}", ["long-pass-word"])
    assert "***" in masked
    left = masked.removeprefix("Authorization: Basic ").replace("***", "")
    assert len(left) <= len(user) * 2 + 4


def test_the_longest_secret_is_masked_first() -> None:
    assert redact("pass: abcdef-ghi, abcdef", ["abcdef", "abcdef-ghi"]) == "pass: ***, ***"


def test_a_short_secret_is_masked_only_where_it_stands_alone() -> None:
    assert redact("the pin is 42; 1423 rows", ["42"]) == "the pin is ***; 1423 rows"


def test_each_line_of_a_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"
    assert redact("line: kqhkiG9w0BAQEF!", [key]) == "line: ***!"


def test_without_secrets_text_stays_as_it_is() -> None:
    assert redact("some text", []) == "some text"
    assert redact("some text", [""]) == "some text"


@given(st.text(min_size=4, max_size=12), st.text(max_size=10), st.text(max_size=10))
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    masked = Redactor([secret]).redact(before + secret + after)
    assert secret == "*" * len(secret) or secret not in masked.replace("***", "\x00")
