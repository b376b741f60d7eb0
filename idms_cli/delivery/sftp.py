"""A folder on an SSH server, by SFTP."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import RelativePath
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery import Cargo, Delivery, Destination, Receipt
from idms_cli.delivery.uploads.address import Folder, folder_parser
from idms_cli.delivery.uploads.options import SILENCE, STEP, FolderOptions, would_send
from idms_cli.delivery.uploads.uploading import upload
from idms_cli.remote.account import Account, Fingerprint
from idms_cli.remote.patience import Patience


class Auth(Section):
    """How to log in."""

    password: SecretSource | None = None
    key: SecretSource | None = Field(default=None, description="A private key, as ssh-keygen writes it.")
    passphrase: SecretSource | None = Field(default=None, description="Of that key.")

    @model_validator(mode="after")
    def _need_a_way(self) -> Self:
        if self.password is None and self.key is None:
            raise BadValue("this is no way to log in", hint="write {password: ...}, or {key: ...}")
        if self.passphrase is not None and self.key is None:
            raise BadValue("a passphrase without a key", hint="write {key: ..., passphrase: ...}")
        return self


class Options(FolderOptions):
    """A step to an SSH server."""

    to: Annotated[Folder, PlainValidator(folder_parser("sftp")), WithJsonSchema({"type": "string"})] = Field(
        description="sftp://user@host/folder/; /~/ is the user's own folder."
    )
    auth: Auth
    host_key: Fingerprint | None = Field(
        default=None, description="The fingerprint of the server's key, SHA256:... Else known_hosts must have it."
    )
    known_hosts: RelativePath | None = Field(
        default=None, description="The file of known keys. The account's and the system's, if unset."
    )


def open_destination(options: Options, directory: Path) -> Destination:
    """As `Offer.open_destination`."""
    return _SshServer(options, directory)


class _SshServer:
    """See `Destination`."""

    def __init__(self, options: Options, directory: Path) -> None:
        self._options = options
        self._where = options.to
        self._directory = directory

    def describe(self) -> str:
        return self._where.of()

    def resource(self) -> str:
        return self._where.resource

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        del delivery
        return would_send(cargo, self.describe(), self._options.overwrite)

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        from idms_cli.delivery.uploads.sftpfolder import SftpFolder  # noqa: PLC0415 - an extra, needed only here
        from idms_cli.remote.ssh import open_session  # noqa: PLC0415

        parcels = cargo.parcels()
        patience = Patience(self._options.silence.total_seconds(), SILENCE, delivery.stopping)
        with open_session(self._account(), patience) as session:
            folder = SftpFolder(session, self._where, patience)
            folder.make_ready(create=self._options.create)
            return upload(parcels, folder, delivery, self._options.overwrite)

    def _account(self) -> Account:
        options, auth = self._options, self._options.auth
        return Account(
            host=self._where.host,
            port=self._where.port,
            user=self._where.user,
            directory=self._directory,
            place=STEP,
            password=auth.password,
            key=auth.key,
            passphrase=auth.passphrase,
            host_key=options.host_key,
            known_hosts=options.known_hosts,
        )
