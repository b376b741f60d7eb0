"""The mail server that a file names, ready to be used: by steps that send mail, and by whatever tells people things."""

from collections.abc import Callable
from pathlib import Path

from idms_cli.config.mail import MailServer
from idms_cli.config.secret_sources import SecretSource
from idms_cli.web.oauth import Tokens, client_login
from idms_cli.web.smtpline import Relay


def relay_of(server: MailServer, reveal: Callable[[SecretSource], str], directory: Path) -> Relay:
    """`directory` is where relative paths start.

    Raises `InputError` for a secret that cannot be had; `LoginRefused` and `Unreachable` when no token is given.
    """
    ca_file = directory / server.ca_file if server.ca_file else None
    silence_s = server.silence.total_seconds()
    secret = reveal(server.password) if server.password else ""
    if server.oauth2:
        secret = Tokens(client_login(server.oauth2, reveal, ca_file=ca_file, silence_s=silence_s)).current()
    return Relay(
        host=server.host,
        port=server.on_port,
        tls=server.tls,
        user=server.user or "",
        secret=secret,
        is_token=server.oauth2 is not None,
        ca_file=ca_file,
        silence_s=silence_s,
    )
