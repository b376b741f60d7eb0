"""OAuth 2 for programs: how a file says where a token comes from (RFC 6749, 4.4: client credentials)."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from idms_cli.config.addresses import parse_site_url
from idms_cli.config.checked import Section
from idms_cli.config.secret_sources import SecretSource


def _parse_token_url(text: object) -> str:
    """As written: a slash at its end may be part of it. Raises `BadValue`."""
    parse_site_url(text)
    return str(text)


class ClientCredentials(Section):
    """A client's id and secret, and who gives a token for them."""

    token_url: Annotated[str, PlainValidator(_parse_token_url), WithJsonSchema({"type": "string", "format": "uri"})]
    client_id: str = Field(min_length=1)
    client_secret: SecretSource
    scope: str | None = Field(default=None, min_length=1, description="What the token is to be good for.")
    parameters: dict[str, str] = Field(default_factory=dict, description="More that is asked for: {audience: ...}.")
    send: Literal["header", "body"] = Field(
        default="header", description="Where id and secret stand: in the Authorization header, or beside the rest."
    )
