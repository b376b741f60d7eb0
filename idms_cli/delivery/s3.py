"""A bucket of Amazon S3, or of a service that speaks as it does."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.addresses import SiteUrl
from idms_cli.config.checked import Section
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery import Cargo, Delivery, Destination, Receipt
from idms_cli.delivery.uploads.address import Folder, folder_parser
from idms_cli.delivery.uploads.options import SILENCE, UploadOptions, would_send
from idms_cli.remote.patience import Patience
from idms_cli.remote.waiting import Waiter

if TYPE_CHECKING:
    from obstore.store import S3Store


class Auth(Section):
    """Which key opens the bucket."""

    access_key: SecretSource | None = Field(default=None, description="The id of the access key.")
    secret_key: SecretSource | None = None
    session_token: SecretSource | None = Field(default=None, description="Of temporary credentials.")

    @model_validator(mode="after")
    def _need_both(self) -> Self:
        if self.access_key is None or self.secret_key is None:
            raise BadValue("this is no whole key", hint="write {access_key: ..., secret_key: ...}, or leave it out")
        return self


class Options(UploadOptions):
    """A step to a bucket."""

    to: Annotated[Folder, PlainValidator(folder_parser("s3", user=False)), WithJsonSchema({"type": "string"})] = Field(
        description="s3://bucket/prefix/"
    )
    auth: Auth | None = Field(default=None, description="If unset: the environment, or the machine's role.")
    endpoint: SiteUrl | None = Field(default=None, description="The address of a service that is not Amazon's.")
    region: str | None = Field(default=None, min_length=1, description="The region of the bucket.")


def open_destination(options: Options, directory: Path) -> Destination:
    """As `Offer.open_destination`."""
    return _Bucket(options, directory)


class _Bucket:
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
        from idms_cli.delivery.uploads.bucket import Bucket  # noqa: PLC0415 - an extra, needed only here
        from idms_cli.delivery.uploads.putting import put_all  # noqa: PLC0415

        parcels = cargo.parcels()
        patience = Patience(self._options.silence.total_seconds(), SILENCE, delivery.stopping)
        with asyncio.Runner() as runner:
            bucket = Bucket(self._open(), self._where, Waiter(runner, patience), patience)
            return put_all(parcels, bucket, delivery, self._options.overwrite)

    def _open(self) -> "S3Store":
        from idms_cli.remote.s3 import Service, open_bucket  # noqa: PLC0415

        options, auth = self._options, self._options.auth
        return open_bucket(
            Service(
                bucket=self._where.host,
                directory=self._directory,
                timeout=options.silence,
                endpoint=options.endpoint,
                region=options.region,
                access_key=auth.access_key if auth else None,
                secret_key=auth.secret_key if auth else None,
                session_token=auth.session_token if auth else None,
            )
        )
