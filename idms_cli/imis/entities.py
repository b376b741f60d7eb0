"""Entities of any family: the address of one by its key, reading it, and finding some by a filter."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from idms_cli.codes import Code
from idms_cli.errors import OutcomeUnknown, RecordRefused, SiteError
from idms_cli.imis.assumptions import SETTLE_S, UNADDRESSABLE
from idms_cli.imis.entitypages import EntityRow, decode, identity_of, read_page
from idms_cli.imis.getter import Getter
from idms_cli.imis.kinds import Key, Record
from idms_cli.imis.pages import Page, Pages, Row, Unique, parse
from idms_cli.imis.properties import Value
from idms_cli.imis.values import filter_text, same

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

FILTER_PAGE = 100
FILTER_ROWS = 2 * FILTER_PAGE
"""A filter that finds more rows than this is ignored by the site, or useless but to act on all of them."""


def address(entity: str, key: Key) -> str:
    """`/api/Party/12345`, or `/api/ABC_Scores/~12345%7C2` for a key of several parts.

    Raises `RecordRefused` for a key that no address can carry (https://developer.imis.com/reference/datacontract-single).
    """
    if not addressable(key):
        raise RecordRefused([f"No address of {entity} can hold the key {'|'.join(key)!r}"], code="key")
    parts = [quote(part, safe="") for part in key]
    return f"/api/{quote(entity, safe='')}/" + (parts[0] if len(parts) == 1 else "~" + "%7C".join(parts))


def addressable(key: Key) -> bool:
    """Whether every part is there, and none would be taken for something else in an address (A25)."""
    return bool(key) and all(_safe(part) for part in key)


def read_one(site: Getter, entity: str, key: Key) -> dict[str, Any] | None:
    """The object with that key as it comes, None when the site has none."""
    try:
        body = site.get(address(entity, key))
    except RecordRefused as refused:
        if refused.status == 404:
            return None
        raise
    return body if isinstance(body, dict) else None


def filtered(site: Getter, entity: str, conditions: Mapping[str, Value], *, every: bool = False) -> Iterator[Row]:
    """Rows of which the site says that they meet all `conditions`; unless `every`, at most `FILTER_ROWS` and one more.

    Operators: https://developer.imis.com/docs/advanced-query-operations. `eq:` is always sent, so that no value can
    be taken for an operator.
    """
    wanted = [(name, _condition(value)) for name, value in conditions.items()]

    what = f"The search in {entity}"

    def fetch(limit: int, offset: int, shrinkable: bool) -> Page[Row]:
        content = site.get(_collection(entity), [*wanted, *_window(limit, offset)], shrinkable=shrinkable)
        return parse(content, offset, what)

    pages = Pages(fetch, what=what, size=FILTER_PAGE, log=site.log)
    return pages.rows() if every else islice(pages.rows(), FILTER_ROWS + 1)


def every(site: "Site", entity: str) -> Iterator[EntityRow]:
    """Every row of an entity, in the largest pages that the connection allows; each once, also where pages overlap."""
    return pages_of(site, entity).rows()


def pages_of(site: "Site", entity: str, filters: Sequence[tuple[str, str]] = ()) -> Pages[EntityRow]:
    """The rows of an entity, each once; with `filters` (name, operator and value) those that meet all, as it says."""

    what = f"Reading {entity}" if filters else f"Reading all of {entity}"

    def fetch(limit: int, offset: int, shrinkable: bool) -> Page[EntityRow]:
        asked = [*filters, *_window(limit, offset)]
        content = site.get(_collection(entity), asked, shrinkable=shrinkable, decode=decode)
        return read_page(content, offset, what)

    return Pages(fetch, what=what, size=site.page_size, log=site.log, by=Unique(identity_of))


def pages_of_bodies(
    site: "Site", entity: str, filters: Sequence[tuple[str, str]] = (), *, key: Callable[[Row], str | None]
) -> Pages[Row]:
    """The same for an entity whose rows have a form of their own: as they come, each once by its `key`."""

    what = f"Reading {entity}" if filters else f"Reading all of {entity}"

    def fetch(limit: int, offset: int, shrinkable: bool) -> Page[Row]:
        asked = [*filters, *_window(limit, offset)]
        return parse(site.get(_collection(entity), asked, shrinkable=shrinkable), offset, what)

    return Pages(fetch, what=what, size=site.page_size, log=site.log, by=Unique(key))


def total(site: "Site", entity: str) -> int:
    """How many rows the site counts in an entity: one call."""
    page = site.get(_collection(entity), _window(1, 0))
    counted = page.get("TotalCount") if isinstance(page, dict) else None
    if not isinstance(counted, int):
        raise SiteError(f"The site does not tell how many rows {entity} has.")
    return counted


def _collection(entity: str) -> str:
    return f"/api/{quote(entity, safe='')}"


def _window(limit: int, offset: int) -> list[tuple[str, str]]:
    return [("limit", str(limit)), ("offset", str(offset))]


def hits(rows: Iterator[Row], meets: Callable[[Row], Record | None], *, what: str) -> list[Record]:
    """The records that really meet the conditions, each once; checked here: the site may ignore a filter (A26).

    Raises `RecordRefused` when the rows do not end and so few meet them that others may lie behind.
    """
    found: dict[Key, Record] = {}
    for number, row in enumerate(rows, start=1):
        if record := meets(row):
            found.setdefault(record.key, record)
        least = 2 if number == FILTER_ROWS + 1 else number // 2
        if number > FILTER_ROWS and len(found) < least:
            reason = (
                f"{what}: the site gives more than {FILTER_ROWS} records, and those seen do not match. It seems to "
                "ignore the condition: match on a property that it can search by, such as the key or the e-mail address"
            )
            raise RecordRefused([reason], code="search-ignored")
    return list(found.values())


def replace_whole(site: "Site", path: str, body: Any, *, stored: Callable[[], bool | None], once: bool = False) -> None:
    """PUT `body`, and when no try got a clear answer, look: `stored()` says if the site has it, None if it is gone.

    `once` is for a body to which something without a key was added: sent twice, it may be there twice (A14).
    Raises `RecordRefused` when the site says no, or has it not.
    """
    try:
        site.put(path, body, once=once)
    except OutcomeUnknown as unknown:
        verdict = stored()
        if verdict is False:
            site.clock.sleep(SETTLE_S)
            verdict = stored()
        if verdict:
            site.log(f"PUT {path} got no clear answer, but was stored")
            return
        text = str(unknown) if verdict is False else f"{unknown} The record is no longer there."
        code: Code = "server-error" if verdict is False else "not-found"
        raise RecordRefused([text], status=unknown.status, code=code) from unknown


def remove(site: "Site", path: str, *, there: Callable[[], bool]) -> None:
    """DELETE, and be content when it is gone already. When no try got a clear answer, look: `there()`.

    Raises `RecordRefused` when the site says no, or still has it.
    """
    try:
        site.delete(path)
    except RecordRefused as refused:
        if refused.status != 404:
            raise
    except OutcomeUnknown as unknown:
        if not there():
            return
        site.clock.sleep(SETTLE_S)
        if there():
            raise RecordRefused([str(unknown)], status=unknown.status, code="server-error") from unknown


def agree(wanted: Mapping[str, Value], found: Mapping[str, Value], *, loose: Callable[[str], bool]) -> bool:
    """Whether `found` holds every value of `wanted`; texts of the names that are `loose` without regard to case."""
    return all(same(value, found.get(name), loose=loose(name)) for name, value in wanted.items())


def _condition(value: Value) -> str:
    return "isEmpty:" if value is None or value == "" else f"eq:{filter_text(value)}"


def _safe(part: str) -> bool:
    return bool(part.strip()) and part not in {".", ".."} and not any(character in UNADDRESSABLE for character in part)
