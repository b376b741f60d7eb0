"""A folder on an FTP server, over TLS."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from idms_cli.config.checked import Section
from idms_cli.config.fields import RelativePath
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery import BadStep, Cargo, Delivery, Destination, Receipt
from idms_cli.delivery.uploads.address import Folder, folder_parser
from idms_cli.delivery.uploads.options import SILENCE, FolderOptions, would_send
from idms_cli.delivery.uploads.uploading import upload
from idms_cli.remote.patience import Patience

PLAIN = "ftp"


class Auth(Section):
    """How to log in."""

    password: SecretSource


class Options(FolderOptions):
    """A step to an FTP server."""

    to: Annotated[Folder, PlainValidator(folder_parser("ftps", PLAIN)), WithJsonSchema({"type": "string"})] = Field(
        description="ftps://user@host/folder/; /~/ is where the user is after the login."
    )
    auth: Auth
    implicit: bool = Field(default=False, description="TLS at once, on port 990, and not after asking for it.")
    ca_file: RelativePath | None = Field(default=None, description="Certificates of a private authority.")
    insecure: bool = Field(default=False, description="ftp:// at all: password and file can be read on their way.")


def open_destination(options: Options, directory: Path) -> Destination:
    """As `Offer.open_destination`."""
    is_plain = options.to.scheme == PLAIN
    if is_plain and not options.insecure:
        raise BadStep(
            ("to",),
            "ftp:// sends the password and the file in the open",
            hint="write ftps://, which most servers speak as well; where nobody can listen: insecure: true",
        )
    if options.insecure and not is_plain:
        raise BadStep(("insecure",), "ftps:// is secure, and stays so", hint="leave it out")
    for key in ("implicit", "ca_file"):
        if is_plain and key in options.model_fields_set:
            raise BadStep((key,), "ftp:// has no TLS", hint="leave it out, or write ftps://")
    return _FtpServer(options, directory)


class _FtpServer:
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
        from idms_cli.delivery.uploads.ftpclient import Client  # noqa: PLC0415 - a check needs none of it
        from idms_cli.delivery.uploads.ftpfolder import FtpFolder  # noqa: PLC0415
        from idms_cli.web.tls import trusted  # noqa: PLC0415

        options = self._options
        parcels, password = cargo.parcels(), delivery.secret(options.auth.password)
        context = None
        if options.insecure:
            delivery.log(f"{self.describe()}: password and file can be read on their way (insecure: true).")
        else:
            context = trusted(self._directory / options.ca_file if options.ca_file else None)
        patience = Patience(options.silence.total_seconds(), SILENCE, delivery.stopping)
        client = Client(patience, what=self.describe(), context=context)
        folder = FtpFolder(client, self._where, password=password, implicit=options.implicit)
        try:
            folder.make_ready(create=options.create)
            return upload(parcels, folder, delivery, options.overwrite)
        finally:
            client.close()
