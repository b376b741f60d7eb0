"""Pages: the part of the rows that one reply holds, and the envelope around it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from idms_cli.sandbox.exchange import Json, Reply, Request

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 500


@dataclass(frozen=True)
class Window:
    """What is asked for (`offset`, `limit`) and what is cut out: `size` rows from `start` on."""

    offset: int
    limit: int
    total: int
    start: int
    empty: bool = False

    def shifted(self, rows: int, *, missing: int = 0) -> "Window":
        """The same page taken from elsewhere."""
        return replace(self, start=max(self.start + rows, 0), total=self.total - missing)

    @property
    def size(self) -> int:
        """How many rows to cut out."""
        return 0 if self.empty else max(min(self.limit, self.total - self.offset), 0)


def asked_window(request: Request, total: int) -> Window:
    """100 rows without a limit, 500 at most.

    A limit or offset that is no number counts as not sent, and so does a limit below 1 (assumption A7).
    """
    limit, offset = _number(request.first("limit")), _number(request.first("offset"))
    return Window(
        offset=offset,
        limit=min(limit or DEFAULT_LIMIT, LARGEST_LIMIT),
        total=total,
        start=offset,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def paged(window: Window, rows: Sequence[Json], *, item_type: str, generic: bool = True) -> Reply:
    """The `PagedResult` envelope. After the last page `NextOffset` is 0; what `Limit` echoes above 500 is A7."""
    more = window.total > window.offset + len(rows)
    following = window.offset + (len(rows) or window.limit)
    listed = f"System.Collections.Generic.List`1[[{item_type}]], mscorlib"
    name = f"PagedResult`1[[{item_type}]]" if generic else "PagedResult"
    return Reply(
        200,
        {
            "$type": f"Asi.Soa.Core.DataContracts.{name}, Asi.Contracts",
            "Items": {"$type": listed, "$values": list(rows)},
            "Offset": window.offset,
            "Limit": window.limit,
            "Count": len(rows),
            "TotalCount": window.total,
            "NextPageLink": None,
            "HasNext": more,
            "NextOffset": following if more else 0,
        },
    )
