"""Rows that come in pages, with guards against pages that repeat, are empty, or lead nowhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from idms_cli.errors import InputError, SiteError
from idms_cli.imis.answers import SiteSlow
from idms_cli.imis.assumptions import MIN_PAGE
from idms_cli.imis.seen import Seen

Row = dict[str, Any]
AnyRow = TypeVar("AnyRow")
ASK_AGAIN = 2
"""How often a page that cannot be right is asked for again."""
STUBBORN = 3
"""So many pages that overlap however often they are asked for show that rows repeat in the data itself."""


@dataclass(frozen=True)
class Page(Generic[AnyRow]):
    """One page of a `PagedResult`."""

    rows: list[AnyRow]
    offset: int
    total: int | None
    has_next: bool
    next_offset: int

    @property
    def telling(self) -> bool:
        """Whether its rows differ among themselves, so that a page with the same rows must be the same page."""
        return len(self.rows) > 1 and any(row != self.rows[0] for row in self.rows)


@dataclass(frozen=True)
class Unique(Generic[AnyRow]):
    """What tells one row from another."""

    key: Callable[[AnyRow], str | None]
    """The value that no other row has; None for a row without one."""
    content: Callable[[AnyRow], int] | None = None
    """A digest of all that a row says, where it is to be told from another one of its key."""


class Pages(Generic[AnyRow]):
    """Reads page after page. `what` names the thing in messages; `by` tells its rows apart, if anything does.

    `fetch` is given limit, offset and, as in `Site.get`, whether the page is shrinkable.
    """

    def __init__(
        self,
        fetch: Callable[[int, int, bool], Page[AnyRow]],
        *,
        what: str,
        size: int,
        log: Callable[[str], None],
        by: Unique[AnyRow] | None = None,
    ) -> None:
        self._fetch = fetch
        self._what = what
        self._size = size
        self._log = log
        self._by = by
        self._seen = Seen()
        self._keyed: tuple[Page[AnyRow] | None, list[str | None]] = (None, [])
        self._stubborn = 0
        self._contradicting = 0
        self._is_still = True
        self.given = 0
        """How many rows were given so far."""
        self.total: int | None = None
        """How many the site counted last."""

    @property
    def is_whole(self) -> bool:
        """Whether as many rows came as the site counts, as far as it does; to be asked after the last row."""
        return self.total in (None, self.given)

    def rows(self) -> Iterator[AnyRow]:
        """Every row once, as far as its key can tell. Holds one page in memory, and 12 bytes of each key.

        Raises `SiteError` when the pages make no sense: rows would be lost or never end. Raises `InputError` when the
        key is not unique, and rows are lost by it.
        """
        offset, before = 0, None
        while True:
            page = self._without_gap(self._page(offset, before), before)
            self.total = page.total
            for row in self._new(page):
                self.given += 1
                yield row
            if not page.has_next:
                break
            offset, before = page.next_offset, page
        self._look_at_counts()

    def _look_at_counts(self) -> None:
        if self.is_whole or self.total is None:
            return
        if self._contradicting and self._is_still and self.given < self.total:
            raise InputError(
                f"{self._what}: {self._contradicting} rows have the key of an earlier row and say something else, so "
                "the key is not unique.",
                hint="Name a column as key that is different in every row, or name none.",
            )
        self._log(
            f"{self._what}: {self.given} rows came, the site counts {self.total}; the data changed, or rows repeat"
        )

    def _page(self, offset: int, before: Page[AnyRow] | None) -> Page[AnyRow]:
        """The page at `offset`, asked for again while it cannot be right."""
        for _ in range(ASK_AGAIN):
            page = self._smaller_if_slow(offset)
            doubt = _fault(page, before) or self._overlap(page)
            if not doubt:
                return page
            self._log(f"{self._what}: {doubt}; asking again")
        page = self._smaller_if_slow(offset)
        if fault := _fault(page, before):
            raise SiteError(
                f"{self._what}: {fault}.",
                hint="Sort the query on a unique column in iMIS, so that its pages follow each other.",
            )
        self._stubborn += bool(self._overlap(page))
        return page

    def _without_gap(self, page: Page[AnyRow], before: Page[AnyRow] | None) -> Page[AnyRow]:
        """`page`, or where rows have vanished since the page before, one that begins so much earlier.

        When earlier rows go, later ones move up, and as many are in no page. Needs a key, to drop what comes twice.
        """
        if before is None or before.total is None or page.total is None or before.total == page.total:
            return page
        self._is_still = False
        self._log(f"{self._what}: the number of rows changed from {before.total} to {page.total} between two pages")
        gone = before.total - page.total
        if self._by is None or gone <= 0:
            return page
        return self._smaller_if_slow(max(0, page.offset - gone))

    def _overlap(self, page: Page[AnyRow]) -> str:
        """Whether rows of `page` came before: then its own last ones may be missing."""
        if self._by is None or self._stubborn >= STUBBORN:
            return ""
        repeated = self._seen.count(self._keys(page))
        return f"{repeated} rows of the page at offset {page.offset} came before" if repeated else ""

    def _smaller_if_slow(self, offset: int) -> Page[AnyRow]:
        """The page at `offset`; after a time-out or 5xx a smaller one, down to `MIN_PAGE` rows."""
        while self._size > MIN_PAGE:
            try:
                return self._fetch(self._size, offset, True)
            except SiteSlow as error:
                self._size = max(MIN_PAGE, self._size // 2)
                self._log(f"{self._what}: {error} Asking for {self._size} rows at a time")
        return self._fetch(self._size, offset, False)

    def _new(self, page: Page[AnyRow]) -> Sequence[AnyRow]:
        """The rows that did not come before. Raises `InputError` when two rows of one page share a key but differ."""
        if self._by is None:
            return page.rows
        keys = self._keys(page)
        if len(set(keys)) < len(keys):
            self._refuse_twins(page.rows, keys)
        contents = list(map(self._by.content, page.rows)) if self._by.content else [0] * len(keys)
        new, others = self._seen.meet(keys, contents)
        self._contradicting += others
        return page.rows if len(new) == len(keys) else [page.rows[place] for place in new]

    def _refuse_twins(self, rows: Sequence[AnyRow], keys: Sequence[str | None]) -> None:
        first: dict[str | None, AnyRow] = {}
        for key, row in zip(keys, rows, strict=True):
            if key is not None and first.setdefault(key, row) != row:
                raise InputError(
                    f"{self._what}: {key!r} stands in two different rows, so the key is not unique.",
                    hint="Name a column as key that is different in every row, or name none.",
                )

    def _keys(self, page: Page[AnyRow]) -> list[str | None]:
        """The keys of a page, made once."""
        if self._by is not None and self._keyed[0] is not page:
            self._keyed = (page, list(map(self._by.key, page.rows)))
        return self._keyed[1]


def parse(content: Any, offset: int, what: str) -> Page[Row]:
    """The page in `content`, asked for at `offset`. Raises `SiteError` when it is no `PagedResult`."""
    items = content.get("Items") if isinstance(content, dict) else None
    values = items.get("$values") if isinstance(items, dict) else items
    if not isinstance(values, list) or not all(isinstance(row, dict) for row in values):
        raise SiteError(f"{what}: the answer is not a page of rows.", hint="Is `url:` the address of an iMIS site?")
    total = content.get("TotalCount")
    after = offset + len(values)
    has_next = bool(content.get("HasNext", isinstance(total, int) and total > after))
    return Page(
        rows=values,
        offset=offset,
        total=total if isinstance(total, int) else None,
        has_next=has_next,
        next_offset=content.get("NextOffset") or after,
    )


def _fault(page: Page[AnyRow], before: Page[AnyRow] | None) -> str:
    """What is wrong with `page`, empty when nothing is."""
    if before is not None and page.telling and page.rows == before.rows:
        return f"the page at offset {page.offset} repeats the page before it"
    if page.has_next and not page.rows:
        return f"the page at offset {page.offset} is empty, though more are said to follow"
    if page.has_next and page.next_offset <= page.offset:
        return f"the page at offset {page.offset} leads to offset {page.next_offset}"
    return ""
