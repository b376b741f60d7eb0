"""Rows of an IQA query, from `/api/query` or, on older sites, `/api/iqa`."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.assumptions import QUERY_NOT_FOUND_TRIES
from idms_cli.imis.definitions import near_match
from idms_cli.imis.getter import Getter, Parameters
from idms_cli.imis.pages import Page, Pages, Unique
from idms_cli.imis.querydefinitions import Told, ask_for
from idms_cli.imis.querypages import QueryRow, decode_flat, decode_generic, read_page
from idms_cli.imis.queryrefusals import is_not_found, translated
from idms_cli.imis.retry import pause_s

_NEW, _OLD = "/api/query", "/api/iqa"
_DECODERS = {_NEW: decode_flat, _OLD: decode_generic}


@dataclass(frozen=True)
class QueryRows:
    """The rows of a query; read once, page by page."""

    pages: Pages[QueryRow]

    def __iter__(self) -> Iterator[QueryRow]:
        return self.pages.rows()

    @property
    def is_whole(self) -> bool:
        """As of `Pages`."""
        return self.pages.is_whole


class Queries:
    """Reads queries of one site, and remembers which of the two addresses it has."""

    def __init__(self, site: Getter) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known_address: str | None = None
        self._told: dict[str, Told] = {}

    def definition(self, path: str) -> Told:
        """As `Site.query_definition`."""
        with self._lock:
            if path not in self._told:
                self._told[path] = ask_for(self._site, path)
            return self._told[path]

    def rows(self, path: str, parameters: Sequence[str] = (), *, key: str | None = None) -> QueryRows:
        """As `Site.query`."""

        what = f"Query {path}"

        def fetch(limit: int, offset: int, shrinkable: bool) -> Page[QueryRow]:
            prompts = [("parameter", value) for value in parameters]
            window = [("limit", str(limit)), ("offset", str(offset))]
            content = self._page(path, [("QueryName", path), *prompts, *window], shrinkable=shrinkable)
            return read_page(content, offset, what)

        pages = Pages(
            fetch,
            what=what,
            size=self._site.page_size,
            log=self._site.log,
            by=Unique(_key_of(path, key), _content) if key else None,
        )
        return QueryRows(pages)

    def _page(self, path: str, parameters: Parameters, *, shrinkable: bool) -> Any:
        try:
            return self._from_either(path, parameters, shrinkable=shrinkable)
        except RecordRefused as refused:
            raise translated(self._site, refused, path) from refused

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
                return self._site.get(address, parameters, shrinkable=shrinkable, decode=_DECODERS[address])
            except RecordRefused as refused:
                if not is_not_found(refused) or attempt == QUERY_NOT_FOUND_TRIES:
                    raise
                self._site.log(f"Query {path}: {refused}; asking again")
            self._site.clock.sleep(pause_s(attempt, None))
            attempt += 1

    def _remember(self, address: str) -> None:
        with self._lock:
            self._known_address = address


def _key_of(path: str, key: str) -> Callable[[QueryRow], str | None]:
    """Gives the value of a column, named in any case, as text. Raises `InputError` for a first row without it."""
    spelled: str | None = None

    def value(row: QueryRow) -> str | None:
        nonlocal spelled
        if spelled is None:
            spelled = next((column for column in row if column.casefold() == key.casefold()), None)
            if spelled is None:
                raise _no_column(path, key, list(row))
        found = row.get(spelled)
        return found if type(found) is str else None if found is None else str(found)

    return value


def _content(row: QueryRow) -> int:
    return hash(tuple(row.values()))


def _no_column(path: str, key: str, names: list[str]) -> InputError:
    return InputError(
        f"Query {path} has no column {key!r}.{near_match(key, names)}",
        hint=f"Its columns are {', '.join(names) or 'not known'}.",
    )


def _may_be_missing(refused: RecordRefused) -> bool:
    """Whether the address, rather than the query, may be what the site does not have."""
    return refused.status in {404, 405, 501} or "no service defined" in str(refused).casefold()
