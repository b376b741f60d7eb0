"""`/api/query` and `/api/iqa`: one page of a query's rows, flat or as `GenericEntityData`."""

from idms_cli.sandbox.exchange import SOA, Json, Reply, Request, http_error
from idms_cli.sandbox.filters import SPELLINGS, Condition, condition
from idms_cli.sandbox.paging import Window, paged
from idms_cli.sandbox.panels import GENERIC, PROPERTIES, PROPERTY
from idms_cli.sandbox.queries import Column, Query
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import Row, Scalar, wrapped

IQA_ENTITY = "59"
ROW = "System.Dynamic.ExpandoObject, System.Core"


def run_query(site: Sandbox, request: Request) -> Reply:
    """Plain JSON rows (https://developer.imis.com/docs/migrating-from-iqa-to-query-service-endpoint)."""
    if not site.query_service:
        raise http_error(404, f"There is no service defined for {request.entity}")
    query = _asked_query(site, request)
    window, rows = _page(site, request, query)
    if query.sparse:
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return paged(window, [{"$type": ROW, **row} for row in rows], item_type="System.Object, mscorlib", generic=False)


def run_iqa(site: Sandbox, request: Request) -> Reply:
    """The older endpoint: wrapped values, `ResultRow` first, nulls without a `Value`."""
    query = _asked_query(site, request)
    window, rows = _page(site, request, query)
    items = [_generic(query, window.offset + number, row) for number, row in enumerate(rows, start=1)]
    return paged(window, items, item_type=GENERIC)


def _asked_query(site: Sandbox, request: Request) -> Query:
    path = request.first("QueryName")
    query = site.queries.get(path.lower())
    if query is None:
        raise http_error(site.unknown_query_status, f"Query: {path} not found.")
    if not query.rest:
        raise http_error(404, f"Query: {path} is not available via the REST API.")
    if query.readers is not None and request.user not in query.readers:
        raise http_error(403, f"You do not have permission to run the query {path}.")
    return query


def _page(site: Sandbox, request: Request, query: Query) -> tuple[Window, list[Row]]:
    table = site.table(query.entity.name)
    found = table.find(query.conditions(site.clock()))
    answers = _answers(query, request.every("parameter"))
    if answers:
        found = [row for row in found if all(_meets(site, query, row, each) for each in answers)]
    window, rows = site.faults.page(request, found)
    columns = query.named_columns
    return window, [{name: _value(site, query, row, column) for name, column in columns} for row in rows]


def _answers(query: Query, texts: list[str]) -> list[tuple[Column, Condition]]:
    """The prompts that got an answer; they count by position, and an empty one selects all."""
    answers = []
    for column, text in zip(query.prompts, texts, strict=False):
        word, colon, rest = text.partition(":")
        test = SPELLINGS.get(word.lower()) if colon else None
        if test not in {None, "equal"}:
            raise http_error(400, "In IQA query, parameters must be Parameter Equal")
        if (rest if test else text) != "":
            answers.append((column, condition(column.kind(query.entity), text)))
    return answers


def _meets(site: Sandbox, query: Query, row: Row, answer: tuple[Column, Condition]) -> bool:
    column, wanted = answer
    return wanted.holds({column.property: _value(site, query, row, column)})


def _value(site: Sandbox, query: Query, row: Row, column: Column) -> Scalar:
    if column.entity is None or column.entity is query.entity:
        return row[column.property]
    contact = row["ID"] if "ID" in row else row[query.entity.parent_property]
    joined = site.table(column.entity.name).rows.get((str(contact),))
    return joined[column.property] if joined else None


def _generic(query: Query, number: int, row: Row) -> Json:
    properties: list[Json] = [{"$type": PROPERTY, "Name": "ResultRow", "Value": str(number)}]
    for name, column in query.named_columns:
        value = row[name]
        item: Json = {"$type": PROPERTY, "Name": name}
        properties.append(item if value is None else {**item, "Value": wrapped(column.kind(query.entity), value)})
    return {
        "$type": f"{SOA}.GenericEntityData, Asi.Contracts",
        "EntityTypeName": IQA_ENTITY,
        "Properties": {"$type": PROPERTIES, "$values": properties},
    }
