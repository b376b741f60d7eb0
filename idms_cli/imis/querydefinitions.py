"""What a site says of a query without running it: that it is there, its columns, and its prompts in their order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idms_cli.errors import RecordRefused, SiteError
from idms_cli.imis.definitions import items
from idms_cli.imis.getter import Getter
from idms_cli.imis.values import plain_name

_EXECUTE = "/api/QueryDefinition/_execute"


@dataclass(frozen=True)
class QueryColumn:
    """A column of a query."""

    name: str
    """As its rows have it, as far as the definition tells (Q1)."""
    spellings: frozenset[str]
    """All names that the definition has for it, in lower case."""


@dataclass(frozen=True)
class Prompt:
    """A value that a query asks for."""

    property: str
    label: str
    """What it asks people for; empty when the site does not tell."""

    def is_called(self, word: str) -> bool:
        return word.strip().casefold() in (self.property.casefold(), self.label.casefold())

    def __str__(self) -> str:
        return self.label or self.property


@dataclass(frozen=True)
class QueryDefinition:
    """A query as the site defines it."""

    path: str
    columns: tuple[QueryColumn, ...]
    """In the order in which they are shown."""
    prompts: tuple[Prompt, ...]
    """In the order in which their values are sent."""

    @property
    def twice(self) -> list[str]:
        """Names that several columns have."""
        times = Counter(column.name.casefold() for column in self.columns)
        return list(dict.fromkeys(one.name for one in self.columns if times[one.name.casefold()] > 1))


@dataclass(frozen=True)
class Told:
    """What became of a look for a definition."""

    definition: QueryDefinition | None
    untold: str = ""
    """Why the site does not even tell whether there is one; empty when it does."""

    @property
    def is_missing(self) -> bool:
        """Whether the site says that there is no such query."""
        return self.definition is None and not self.untold


def ask_for(site: Getter, path: str) -> Told:
    """The definition of the query at a path: https://developer.imis.com/reference/querydefinition-1.

    Staff may see it of any query, public users of none
    (https://developer.imis.com/changelog/iqa-permissions-change-for-isavailableforrest-flag).
    """
    try:
        reply = site.ask(_EXECUTE, _request(path))
    except (RecordRefused, SiteError) as refused:
        return Told(None, str(refused).rstrip("."))
    wrapped = isinstance(reply, dict) and "Result" in reply
    found = reply["Result"] if wrapped else reply  # bare in 2017
    if wrapped and not reply.get("IsSuccessStatusCode", True):
        return Told(None, str(reply.get("Message") or "the site does not find out"))
    if found is None:
        return Told(None)
    if not isinstance(found, dict) or not items(found.get("Properties")):
        return Told(None, "what the site says of it is no definition")
    return Told(_definition(found, path))


def _request(path: str) -> dict[str, Any]:
    collection = "System.Collections.ObjectModel.Collection`1[[System.{}, mscorlib]], mscorlib"
    return {
        "$type": "Asi.Soa.Core.DataContracts.GenericExecuteRequest, Asi.Contracts",
        "OperationName": "FindByPath",
        "EntityTypeName": "QueryDefinition",
        "Parameters": {
            "$type": collection.format("Object"),
            "$values": [{"$type": "System.String", "$value": path}],
        },
        "ParameterTypeName": {"$type": collection.format("String"), "$values": ["System.String"]},
        "UseJson": False,
    }


def _definition(found: Mapping[str, Any], path: str) -> QueryDefinition:
    shown = sorted(items(found.get("Properties")), key=lambda one: int(one.get("DisplayOrder") or 0))
    return QueryDefinition(
        path=str(found.get("Path") or path),
        columns=tuple(filter(None, map(_column, shown))),
        prompts=tuple(
            Prompt(plain_name(str(one.get("PropertyName") or "")), str(one.get("Prompt") or ""))
            for one in items(found.get("Parameters"))
        ),
    )


def _column(described: Mapping[str, Any]) -> QueryColumn | None:
    names = [plain_name(str(described.get(key) or "")) for key in ("Alias", "Caption", "Name", "PropertyName")]
    named = [name for name in names if name.strip()]
    return QueryColumn(named[0], frozenset(name.casefold() for name in named)) if named else None
