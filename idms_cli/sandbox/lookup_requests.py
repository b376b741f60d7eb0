"""GenTable: values of the general lookup tables, by table and code."""

from idms_cli.sandbox.bodies import member, required_body
from idms_cli.sandbox.contracts import GEN_TABLE
from idms_cli.sandbox.exchange import SOA, Json, Reply, Request, invalid, not_found
from idms_cli.sandbox.filters import conditions
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.panels import key_in
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import Row

CONTRACT = f"{SOA}.GenTableData, Asi.Contracts"
TEXTS = ("Description", "Substitute")


def answer(site: Sandbox, request: Request) -> Reply | None:
    """What the entity offers; everything else is None."""
    match request.method, request.parts[2:]:
        case "GET", ():
            window, rows = site.faults.page(request, site.table("GenTable").find(conditions(GEN_TABLE, request.query)))
            return paged(window, [_shown(row) for row in rows], item_type=CONTRACT)
        case "POST", ():
            return _create(site, request)
        case "GET", (_,):
            return Reply(200, _shown(_existing(site, request)))
        case "PUT", (_,):
            return _replace(site, request)
        case "DELETE", (_,):
            row = _existing(site, request)
            table = site.table("GenTable")
            table.remove(table.key_of(row))
            site.ledger.wrote(request, "GenTable", table.key_of(row), str(row["Description"]))
            return Reply(200)
    return None


def _create(site: Sandbox, request: Request) -> Reply:
    body = required_body(request.content)
    table = site.table("GenTable")
    name = member(body, "Table_Name") or member(body, "TableName")
    row: Row = {"TableName": str(name or ""), "Code": str(member(body, "Code") or ""), **_texts(body)}
    messages = _objections(row)
    if not messages and table.key_of(row) in table.rows:
        messages = [f"The code {row['Code']} is in {row['TableName']} already."]
    return _stored(site, request, row, messages, status=201)


def _replace(site: Sandbox, request: Request) -> Reply:
    old = _existing(site, request)
    body = required_body(request.content)
    kept = old if site.put_missing == "keep" else dict.fromkeys(TEXTS)
    sent = {name: value for name, value in _texts(body).items() if member(body, name) is not None}
    row = {**kept, **sent, "TableName": old["TableName"], "Code": old["Code"]}
    return _stored(site, request, row, _objections(row), status=site.put_status)


def _stored(site: Sandbox, request: Request, row: Row, messages: list[str], *, status: int) -> Reply:
    if messages:
        raise invalid(messages)
    table = site.table("GenTable")
    site.ledger.wrote(request, "GenTable", table.put(row), str(row["Description"]))
    return Reply(status, _shown(row))


def _objections(row: Row) -> list[str]:
    messages = []
    for kind in GEN_TABLE.properties:
        text = str(row[kind.name] or "")
        if kind.required and not text:
            messages.append(f"{kind.name} is required.")
        elif kind.max_length is not None and len(text) > kind.max_length:
            messages.append(f"{kind.name} is longer than {kind.max_length} characters.")
    return messages


def _existing(site: Sandbox, request: Request) -> Row:
    row = site.table("GenTable").rows.get(key_in(request, 2))
    if row is None:
        raise not_found()
    return row


def _texts(body: Json) -> Row:
    return {name: str(member(body, name) or "") for name in TEXTS}


def _shown(row: Row) -> Json:
    code = str(row["Code"])
    return {
        "$type": CONTRACT,
        "Table_Name": row["TableName"],
        "Code": code,
        "Upper_Code": code.upper(),
        "Description": row["Description"] or "",
        "Substitute": row["Substitute"] or "",
    }
