"""What a step that waits may say."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from idms_cli.config.addresses import SiteUrl
from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration, RelativePath
from idms_cli.config.problems import BadValue
from idms_cli.files.origins.address import Address
from idms_cli.files.origins.options import AuthOptions, OriginOptions
from idms_cli.remote.account import Fingerprint
from idms_cli.rows.query import QueryOptions, QueryPath

WAYS = ("until", "for", "file", "query")
ANY_ROWS = "{{ rows|length > 0 }}"


class WaitFile(Section):
    """A file that is to come."""

    path: str = Field(min_length=1, description="Local, sftp://, https:// or s3://; * and ? in its name, and {{ }}.")
    newer_than: PositiveDuration | None = Field(default=None, description="An older file does not count.")
    stable_for: PositiveDuration | None = Field(default=None, description="Nobody may have changed it for so long.")
    auth: AuthOptions | None = None
    host_key: Fingerprint | None = None
    known_hosts: RelativePath | None = None
    ca_file: RelativePath | None = None
    endpoint: SiteUrl | None = None
    region: str | None = Field(default=None, min_length=1)
    timeout: PositiveDuration = timedelta(seconds=60)

    def origin(self, address: Address) -> OriginOptions:
        """How its place is asked."""
        said = {name: getattr(self, name) for name in self.model_fields_set & set(OriginOptions.model_fields)}
        return OriginOptions.model_construct(**{**said, "path": address})


class WaitOptions(Section):
    """What is waited for: exactly one thing."""

    until: str | None = Field(default=None, description='A time of day ("07:00"), a moment, or a template of one.')
    for_: PositiveDuration | None = Field(default=None, alias="for", description="So long.")
    file: str | WaitFile | None = Field(default=None, description="A file, by its path or with its keys.")
    query: QueryPath | QueryOptions | None = Field(default=None, description="A query, by its path or with its keys.")
    condition: str = Field(default=ANY_ROWS, description="Of a query: what has to hold of its `rows`.")
    every: PositiveDuration | None = Field(
        default=None, description="How often it is looked at: a file every 10s, a query every 1m, if unset."
    )
    limit: PositiveDuration | None = Field(
        default=None, description="After so long the step fails; a file and a query: 1h, if unset."
    )

    often: ClassVar[Mapping[str, timedelta]] = {"file": timedelta(seconds=10), "query": timedelta(minutes=1)}

    @model_validator(mode="after")
    def _need_one_thing(self) -> "WaitOptions":
        given = [word for word in WAYS if getattr(self, word.replace("for", "for_")) is not None]
        if len(given) != 1:
            raise BadValue("a wait is for exactly one thing", hint=f"write one of {', '.join(WAYS)}")
        if given[0] not in self.often and self.every is not None:
            raise BadValue("`every:` is for files and queries", hint="leave it out")
        if given[0] != "query" and "condition" in self.model_fields_set:
            raise BadValue("`condition:` is for queries", hint="leave it out, or say `query:`")
        return self

    @property
    def way(self) -> str:
        return next(word for word in WAYS if getattr(self, word.replace("for", "for_")) is not None)

    @property
    def asked(self) -> QueryOptions | None:
        """The query with its keys."""
        if self.query is None or isinstance(self.query, QueryOptions):
            return self.query
        return QueryOptions(query=self.query)

    @property
    def wanted(self) -> WaitFile | None:
        """The file with its keys."""
        return WaitFile(path=self.file) if isinstance(self.file, str) else self.file
