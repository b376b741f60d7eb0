"""What a job says about OpenPGP: for whom a file is encrypted, and by whom it is signed."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, RelativePath
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource

_FINGERPRINT = re.compile("[0-9A-F]{40}|[0-9A-F]{64}")
_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,10})?")


def _fingerprint(value: str) -> str:
    found = value.replace(" ", "").upper().removeprefix("0X")
    if not _FINGERPRINT.fullmatch(found):
        raise BadValue(
            f"'{shortened(value)}' is no whole fingerprint of a key", hint="gpg --fingerprint shows it: 40 digits"
        )
    return found


def _known(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise BadValue("nobody could read the file", hint="name the fingerprint of each recipient's key")
    return value


def _ending(value: str) -> str:
    if not _ENDING.fullmatch(value):
        raise BadValue(f"'{shortened(value)}' is no ending of a name", hint='write it as in .gpg; "" adds none')
    return value


Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
"""All hexadecimal digits: nobody can make another key that has the same ones."""


class EncryptOptions(Section):
    """The keys of `encrypt:`."""

    recipients: Annotated[ListOf[Fingerprint], AfterValidator(_known)] = Field(
        description="The whole fingerprints of the keys that can read the file."
    )
    keys: RelativePath | None = Field(
        default=None, description="A file with their public keys. If unset: the keyring of idms' account."
    )
    ascii: bool = Field(default=False, description="Text that passes everywhere (.asc), not bytes (.pgp).")
    ending: Annotated[str, AfterValidator(_ending)] | None = Field(
        default=None, description='What is added to the name: .pgp or .asc if unset; "" adds nothing.'
    )


class SignOptions(Section):
    """The keys of `sign:`."""

    key: Fingerprint | SecretSource = Field(
        description="Where the secret key is kept, as gpg exports it; or the fingerprint of one in idms' keyring."
    )
    passphrase: SecretSource | None = Field(default=None, description="Of the key.")
    ascii: bool = Field(default=False, description="As in `encrypt:`, for a file that is only signed.")
    ending: Annotated[str, AfterValidator(_ending)] | None = Field(
        default=None, description="As in `encrypt:`, for a file that is only signed."
    )
