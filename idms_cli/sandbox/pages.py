"""The page at `/`: what the sandbox holds, what was written last, for a person with a browser."""

from collections.abc import Iterable, Sequence
from html import escape

from idms_cli.sandbox.exchange import Reply
from idms_cli.sandbox.ledger import Write
from idms_cli.sandbox.site import Sandbox

LAST_WRITES = 50
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin-bottom:2rem}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}"
    "td{overflow-wrap:anywhere}code{background:#f3f3f3;padding:.1rem .3rem}"
)


def overview(site: Sandbox) -> Reply:
    """Totals, calls, faults and the last writes. All text is escaped: it came from files and requests."""
    with site.lock:
        totals = [("Party", len(site.parties)), *((name, len(table.rows)) for name, table in site.tables.items())]
        queries = sorted(query.path for query in site.queries.values())
    calls, writes = site.calls, site.writes
    parts = [
        "<h1>idms sandbox</h1>",
        "<p>A small stand-in for an iMIS site. Its own endpoints: "
        + ", ".join(f"<code>/_sandbox/{name}</code>" for name in ("calls", "writes", "faults"))
        + ".</p>",
        "<h2>Records</h2>",
        _table(("Entity", "Rows"), totals),
        f"<h2>Last writes ({len(writes)} in all)</h2>",
        _table(("Method", "Entity", "Key", "What"), ((w.method, w.entity, w.key, w.summary) for w in _newest(writes))),
        f"<h2>Calls ({calls['total']})</h2>",
        _table(("Call", "Times"), calls["calls"].items()),
        f"<p>Tokens given: {calls['tokens']}. Logins refused: {calls['refused_logins']}. "
        f"Most requests at once: {calls['peak_concurrent']}.</p>",
        "<h2>Faults</h2>",
        _table(("Fault", "Rate", "Times"), _faults(site)),
        "<h2>Queries</h2>",
        _table(("Path",), ((path,) for path in queries)),
    ]
    head = f'<meta charset="utf-8"><title>idms sandbox</title><style>{STYLE}</style>'
    return Reply(200, f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>')


def _newest(writes: Sequence[Write]) -> Iterable[Write]:
    return reversed(writes[-LAST_WRITES:])


def _faults(site: Sandbox) -> list[tuple[str, float, int]]:
    return [(name, rate, site.faults.struck[name]) for name, rate in site.faults.rates.items() if rate]


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    body = [f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows]
    if not body:
        return "<p>None.</p>"
    return f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>{''.join(body)}</table>"
