"""What answers of the site mean."""

import json

import pytest

from idms_cli.errors import OutcomeUnknown, RecordRefused, SiteError, Unreachable
from idms_cli.imis.answers import Answer, error_of

VALIDATION = {
    "$type": "Asi.Soa.Core.DataContracts.ValidationResultsData, Asi.Contracts",
    "Errors": {"$values": [{"Message": "Last Name is required."}, {"Message": "Grade is not in the list."}]},
    "Warnings": {"$values": [{"Message": "Beware."}]},
}
DENIED = {"$type": "System.Web.Http.HttpError, System.Web.Http", "Message": "No."}
ADMINISTRATOR = {"Message": "An error occurred. Please contact the administrator."}


def answer(status, body=b"", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer("PUT /api/Party/12345", status, headers, content)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(VALIDATION, id="bare"),
        pytest.param({"Message": "no", "ValidationResults": VALIDATION}, id="nested"),
        pytest.param({**VALIDATION, "$type": "Something.Else"}, id="another-type"),
        pytest.param({**VALIDATION, "Errors": VALIDATION["Errors"]["$values"]}, id="bare-list"),
    ],
)
def test_a_validation_reply_refuses_the_record_with_all_its_messages(body):
    error = error_of(answer(400, body), method="POST")
    assert isinstance(error, RecordRefused)
    assert error.reasons == ("Last Name is required.", "Grade is not in the list.")
    assert (error.status, error.code) == (400, "validation")


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (400, "validation", "400 Bad request: No."),
        (403, "forbidden", "403 Forbidden: No."),
        (404, "not-found", "404 Not found: No."),
        (405, "not-allowed", "405 Not allowed: No."),
        (409, "conflict", "409 Conflict: No."),
        (413, "refused", "413 Refused: No."),
        (501, "not-allowed", "501 Not implemented: No."),
    ],
)
def test_a_refusal_has_a_code_and_the_text_of_the_site(status, code, text):
    error = error_of(answer(status, DENIED), method="PUT")
    assert isinstance(error, RecordRefused)
    assert (error.status, error.code, str(error)) == (status, code, text)


def test_members_that_the_site_cannot_read_are_told_one_by_one():
    state = {"request.BirthDate": ["Not a date."], "request.Gender": ["Unknown.", "Too long."]}
    error = error_of(answer(400, {"Message": "The request is invalid.", "ModelState": state}), method="POST")
    assert error.reasons == ("request.BirthDate: Not a date.", "request.Gender: Unknown.", "request.Gender: Too long.")


def test_the_text_of_an_exception_is_shown_beside_the_general_message():
    body = {"Message": "An error has occurred.", "ExceptionMessage": "Object reference not set."}
    assert str(error_of(answer(404, body), method="PUT")) == (
        "404 Not found: An error has occurred. Object reference not set."
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_server_error_leaves_open_whether_a_write_was_stored(status, method):
    error = error_of(answer(status, ADMINISTRATOR), method=method)
    assert isinstance(error, OutcomeUnknown)
    assert error.status == status
    assert "contact the administrator" in str(error)


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"retry-after": "1"})])
def test_a_write_that_was_certainly_not_carried_out_is_not_unknown(status, headers):
    assert isinstance(error_of(answer(status, b"", **headers), method="POST"), Unreachable)


def test_500_for_a_read_is_the_records_fault_when_imis_says_it_and_an_outage_when_a_web_server_does():
    refused = error_of(answer(500, ADMINISTRATOR), method="GET")
    assert isinstance(refused, RecordRefused)
    assert refused.code == "server-error"
    assert isinstance(error_of(answer(500, b"<html>Runtime Error</html>"), method="GET"), Unreachable)


def test_a_redirect_is_an_error_that_says_which_setting_is_wrong():
    error = error_of(answer(302, b"", location="https://elsewhere.example/?token=x"), method="GET")
    assert isinstance(error, SiteError)
    assert "elsewhere" not in str(error)
    assert "url:" in error.hint


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"<html><title>Blocked</title><p>long</p></html>", "403 Forbidden: Blocked", id="html-title"),
        pytest.param(b"<p>Not\n for <b>you</b></p>", "403 Forbidden: Not for you", id="html"),
        pytest.param("plain", "403 Forbidden: plain", id="json-text"),
        pytest.param(b"", "403 Forbidden (PUT /api/Party/12345)", id="empty"),
        pytest.param(b"\xff\xfe", "403 Forbidden: \ufffd\ufffd", id="no-utf-8"),
        pytest.param(b"[" * 100_000, "403 Forbidden: " + "[" * 299 + "…", id="deep"),
    ],
)
def test_any_body_becomes_one_short_line(body, text):
    assert str(error_of(answer(403, body), method="GET")) == text


def test_a_success_that_is_not_json_is_an_error_with_a_hint():
    with pytest.raises(SiteError, match="not JSON: Sign in") as caught:
        answer(200, b"<title>Sign in</title>").json()
    assert "login page" in caught.value.hint
