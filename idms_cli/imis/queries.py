"""Rows of an IQA query, from `/api/query` or, on older sites, `/api/iqa`."""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from idms_cli.errors import IdmsError, InputError, RecordRefused, SiteError
from idms_cli.imis.assumptions import QUERY_NOT_FOUND, QUERY_NOT_FOUND_TRIES
from idms_cli.imis.definitions import near_match
from idms_cli.imis.getter import Getter
from idms_cli.imis.pages import Page, Pages, Row, parse
from idms_cli.imis.properties import Value
from idms_cli.imis.retry import pause_s
from idms_cli.imis.sending import Parameters
from idms_cli.imis.values import plain_name, unwrap

_NEW, _OLD = "/api/query", "/api/iqa"
_ROW_NUMBER = "ResultRow"


class Queries:
    """Reads queries of one site, and remembers which of the two addresses it has."""

    def __init__(self, site: Getter) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known_address: str | None = None

    def rows(self, path: str, parameters: Sequence[str] = (), *, key: str | None = None) -> Iterator[dict[str, Value]]:
        """As `Site.query`."""

        what = f"Query {path}"

        def fetch(limit: int, offset: int, shrinkable: bool) -> Page[Row]:
            prompts = [("parameter", value) for value in parameters]
            window = [("limit", str(limit)), ("offset", str(offset))]
            content = self._page(path, [("QueryName", path), *prompts, *window], shrinkable=shrinkable)
            return parse(content, offset, what)

        pages = Pages(
            fetch,
            what=what,
            size=self._site.page_size,
            log=self._site.log,
            key=_key_of(path, key) if key else None,
        )
        return (columns(row) for row in pages.rows())

    def _page(self, path: str, parameters: Parameters, *, shrinkable: bool) -> Any:
        try:
            return self._from_either(path, parameters, shrinkable=shrinkable)
        except RecordRefused as refused:
            raise _translated(refused, path) from refused

    def _from_either(self, path: str, parameters: Parameters, *, shrinkable: bool) -> Any:
        """The page from the address that the site has: the new one if possible."""
        address = self._known_address or _NEW
        try:
            content = self._believed(address, path, parameters, shrinkable=shrinkable)
        except RecordRefused as refused:
            if self._known_address or not _may_be_missing(refused):
                raise
            address = _OLD
            content = self._believed(address, path, parameters, shrinkable=shrinkable)
        self._remember(address)
        return content

    def _believed(self, address: str, path: str, parameters: Parameters, *, shrinkable: bool) -> Any:
        """One page. A "not found" that comes at random for good queries (A10) is believed at its third time."""
        attempt = 1
        while True:
            try:
                return self._site.get(address, parameters, shrinkable=shrinkable)
            except RecordRefused as refused:
                if not _not_found(refused) or attempt == QUERY_NOT_FOUND_TRIES:
                    raise
                self._site.log(f"Query {path}: {refused}; asking again")
            self._site.clock.sleep(pause_s(attempt, None))
            attempt += 1

    def _remember(self, address: str) -> None:
        with self._lock:
            self._known_address = address


def columns(row: Row) -> dict[str, Value]:
    """The columns of a row of either address, by name, values unwrapped; binary stays wrapped."""
    properties = row.get("Properties")
    if isinstance(properties, dict):
        named = ((plain_name(str(item.get("Name", ""))), item.get("Value")) for item in properties.get("$values") or [])
        return {name: unwrap(value) for name, value in named if name != _ROW_NUMBER}
    return {name: unwrap(value) for name, value in row.items() if name != "$type"}


def _key_of(path: str, key: str) -> Callable[[Row], Hashable]:
    """Gives the value of column `key`, in any case. Raises `InputError` for a row without that column."""
    spelling: dict[str, str] = {}

    def value(row: Row) -> Hashable:
        found = columns(row)
        name = spelling.get(key)
        if name is None or name not in found:
            name = next((column for column in found if column.casefold() == key.casefold()), None)
            if name is None:
                raise _no_column(path, key, list(found))
            spelling[key] = name
        return str(found[name]) if found[name] is not None else None

    return value


def _no_column(path: str, key: str, names: list[str]) -> InputError:
    return InputError(
        f"Query {path} has no column {key!r}.{near_match(key, names)}",
        hint=f"Its columns are {', '.join(names) or 'not known'}.",
    )


def _translated(refused: RecordRefused, path: str) -> IdmsError:
    """What a refusal of a query means to whoever wrote its name into a job."""
    status = refused.status
    if _not_found(refused):
        return InputError(
            f"The site has no query {path} ({refused}).",
            hint="Copy the path from iMIS; it begins with $/ and names every folder.",
        )
    if status in {404, 405, 501}:
        return InputError(
            f"The site has no query {path}, or the query is not open to programs ({refused}).",
            hint="Check the path, and switch on 'Available via the REST API' in the query's settings in iMIS.",
        )
    if status == 403:
        return SiteError(
            f"The account may not read the query {path} ({refused}).",
            hint="Give the user of this connection the right to run the query in iMIS.",
        )
    return SiteError(
        f"The site refuses the query {path} ({refused}).",
        hint="Are all prompts answered, in their order, and do they compare with Equal?",
    )


def _not_found(refused: RecordRefused) -> bool:
    """Whether the site says, with the status of a bad request, that it has no such query."""
    return refused.status == 400 and QUERY_NOT_FOUND in str(refused).casefold()


def _may_be_missing(refused: RecordRefused) -> bool:
    """Whether the address, rather than the query, may be what the site does not have."""
    return refused.status in {404, 405, 501} or "no service defined" in str(refused).casefold()
