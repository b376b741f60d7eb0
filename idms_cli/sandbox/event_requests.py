"""EventRegistration: read, validate, and the operations of `_execute`; it takes the same registration twice.

https://developer.imis.com/reference/executeeventregistration-1
"""

from typing import Any

from idms_cli.sandbox.bodies import listed, member, required_body
from idms_cli.sandbox.contracts import EVENTS
from idms_cli.sandbox.exchange import SOA, Json, Reply, Request, http_error, validation_results
from idms_cli.sandbox.filters import equals
from idms_cli.sandbox.panels import verdict
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import Row, unwrapped

CONTRACTS = "Asi.Soa.Events.DataContracts"
ACTIVE = 1
CANCELLED = 2


def answer(site: Sandbox, request: Request) -> Reply | None:
    """What the entity offers; everything else is None."""
    match request.method, request.parts[2:]:
        case "POST", (operation,) if operation.lower() == "_validate":
            body = required_body(request.content)
            return verdict(_objections(site, body), body)
        case "POST", (operation,) if operation.lower() == "_execute":
            return _execute(site, request)
        case "GET", (_,):
            return _read(site, request)
    return None


def _read(site: Sandbox, request: Request) -> Reply:
    """Always 200: without `Status` when the contact was never registered."""
    event, _, party_id = request.parts[2].rpartition("-")
    rows = _rows(site, event, party_id)
    body: Json = {
        "$type": f"{CONTRACTS}.EventRegistrationData, Asi.Contracts",
        "EventRegistrationId": request.parts[2],
        "Event": {"EventId": event},
        "Registrant": {"PartyId": party_id},
    }
    active = [row for row in rows if row["Status"] == ACTIVE]
    if rows:
        body["Status"] = ACTIVE if active else CANCELLED
    body["Functions"] = {
        "$type": f"{CONTRACTS}.EventRegistrationFunctionDataCollection, Asi.Contracts",
        "$values": [_function(event, str(row["FunctionId"])) for row in active],
    }
    return Reply(200, body)


def _execute(site: Sandbox, request: Request) -> Reply:
    body = required_body(request.content)
    operation = member(body, "OperationName")
    if operation == "RegisterEvent":
        return _register(site, request, body)
    if operation == "CancelEventRegistration":
        return _cancel(site, request, body)
    raise http_error(501, f"The operation {operation} is not implemented.")


def _register(site: Sandbox, request: Request, body: Json) -> Reply:
    messages = _objections(site, body)
    if messages:
        return _response(None, messages)
    table = site.table("EventRegistration")
    row = table.empty_row() | {name: str(member(body, name) or "") for name in ("EventId", "RegisteredBy", "BillTo")}
    row |= {"PartyId": str(member(body, "RegistrantId")), "FunctionId": _code(member(body, "FunctionId"))}
    row |= {"Waitlist": member(body, "Waitlist") is True, "Status": ACTIVE}
    table.number(row)
    table.put(row)
    key = f"{row['EventId']}-{row['PartyId']}"
    site.ledger.wrote(request, "EventRegistration", (key,), str(row["FunctionId"]))
    return _response({"EventRegistrationId": key}, [])


def _cancel(site: Sandbox, request: Request, body: Json) -> Reply:
    parameters = listed(member(body, "Parameters"))
    key = str(unwrapped(parameters[0])) if parameters else ""
    event, _, party_id = key.rpartition("-")
    rows = _rows(site, event, party_id)
    for row in rows:
        site.table("EventRegistration").put({**row, "Status": CANCELLED})
    site.ledger.wrote(request, "EventRegistration", (key,), "cancelled")
    return _response(None, [] if rows else [f"{key} is not registered."])


def _objections(site: Sandbox, body: Json) -> list[str]:
    event, function = str(member(body, "EventId") or ""), _code(member(body, "FunctionId"))
    option, registrant = _code(member(body, "RegistrationOptionFunctionId")), str(member(body, "RegistrantId") or "")
    if event not in EVENTS:
        return [f"'{event}' is not an event."]
    messages = [] if function in EVENTS[event] else [f"'{function}' is not a function of {event}."]
    if not EVENTS[event].get(option, ("", False))[1]:
        messages.append(f"'{option}' is not a registration option of {event}.")
    if not site.parties.exists(registrant):
        messages.append(f"Contact {registrant} does not exist.")
    return messages


def _rows(site: Sandbox, event: str, party_id: str) -> list[Row]:
    return list(site.table("EventRegistration").find([equals("PartyId", party_id), equals("EventId", event)]))


def _function(event: str, code: str) -> Json:
    name, is_option = EVENTS[event][code]
    return {
        "$type": f"{CONTRACTS}.EventRegistrationFunctionData, Asi.Contracts",
        "EventFunction": {
            "$type": f"{CONTRACTS}.EventFunctionData, Asi.Contracts",
            "EventFunctionId": f"{event}/{code}",
            "EventFunctionCode": code,
            "Name": name,
            "IsEventRegistrationOption": is_option,
        },
    }


def _code(value: Any) -> str:
    """`CONF25/FULL` and `FULL` -> `FULL`."""
    return str(value or "").rpartition("/")[2]


def _response(result: Any, messages: list[str]) -> Reply:
    """200 also when it failed: `IsSuccessStatusCode` tells."""
    content = {
        "$type": f"{SOA}.ServiceResponse`1[[System.Object, mscorlib]], Asi.Contracts",
        "Result": result,
        "IsSuccessStatusCode": not messages,
        "StatusCode": 400 if messages else 200,
        "Message": "; ".join(messages),
        "ValidationResults": validation_results(messages),
        "IsCachedResult": False,
    }
    return Reply(200, content)
