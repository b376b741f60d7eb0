"""The password grant: user name and password become a token."""

import json

from idms_cli.errors import SiteError, Unreachable
from idms_cli.imis.answers import Answer
from idms_cli.imis.assumptions import DEFAULT_TOKEN_LIFE_S
from idms_cli.imis.tokens import BadCredentials, Token

TOKEN_PATH = "/token"  # noqa: S105 - an address
REFUSED = "invalid_grant"


def form(username: str, password: str) -> dict[str, str]:
    """The fields of a login, to be form-encoded (https://developer.imis.com/reference/bearer-token)."""
    return {"grant_type": "password", "username": username, "password": password}


def token_of(answer: Answer, *, now: float) -> Token:
    """The token in the answer to a login.

    Raises `BadCredentials` only where the site clearly says so, `Unreachable` where something before iMIS answers.
    The answer may hold the token or repeat the password, so none of it but the site's own error text is shown.
    """
    members = _members(answer)
    text = members.get("access_token") if answer.ok and members else None
    if members and isinstance(text, str) and text and text.isascii() and text.isprintable():
        return Token(text, issued_at=now, expires_at=now + _life_s(members.get("expires_in")))
    if answer.status in {400, 401} and members and members.get("error") == REFUSED:
        raise BadCredentials(str(members.get("error_description") or REFUSED).strip().rstrip("."))
    if answer.status in {400, 401} and members and members.get("error"):
        raise SiteError(
            f"The site does not accept this kind of login: {members['error']}.",
            hint="iMIS must offer the password grant to this user.",
        )
    raise Unreachable(
        f"{answer.what} answered {answer.status}, but not as the login of iMIS does.",
        hint="Check `url:` of the connection. A web firewall may block this machine: ask for its address to be let in.",
    )


def _members(answer: Answer) -> dict[str, object] | None:
    try:
        content = json.loads(answer.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _life_s(expires_in: object) -> float:
    try:
        life = float(str(expires_in))
    except ValueError:
        return DEFAULT_TOKEN_LIFE_S
    return life if life > 0 else DEFAULT_TOKEN_LIFE_S
