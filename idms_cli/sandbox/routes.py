"""From an address to what answers it: `/token`, `/api/...`, `/_sandbox/...` and the page at `/`."""

from dataclasses import replace

from idms_cli.sandbox import (
    control,
    event_requests,
    group_requests,
    lookup_requests,
    metadata,
    panels,
    party_requests,
    query_requests,
    user_requests,
)
from idms_cli.sandbox.exchange import RefusedError, Reply, Request, http_error
from idms_cli.sandbox.pages import overview
from idms_cli.sandbox.site import Sandbox

PARTIES = frozenset({"party", "person", "organization"})
LISTS = {
    "query": query_requests.run_query,
    "iqa": query_requests.run_iqa,
    "boentitydefinition": metadata.list_definitions,
    "addresspurpose": metadata.list_address_purposes,
    "communicationtype": metadata.list_communication_types,
    "group": group_requests.list_groups,
}
"""What can only be listed, by its lower-case name."""
TYPED = {
    "groupmember": group_requests.answer_members,
    "groupmemberdetail": group_requests.answer_details,
    "eventregistration": event_requests.answer,
    "user": user_requests.answer,
    "gentable": lookup_requests.answer,
}
"""Entities with a data contract of their own; None from one of them is a verb that it does not offer."""
ENDPOINTS = (
    "query",
    "iqa",
    "BoEntityDefinition",
    "AddressPurpose",
    "CommunicationType",
    "Group",
    "metadata",
    "QueryDefinition",
    "Party",
    "Person",
    "Organization",
)
SPELLINGS = {name.lower(): name for name in ENDPOINTS}


def answer(site: Sandbox, request: Request) -> Reply:
    """The reply to one request, with the faults that befall it."""
    try:
        return _answer(site, request)
    except RefusedError as refusal:
        return refusal.reply


def kind_of(site: Sandbox, request: Request) -> str:
    """What a request is counted as: `token`, or the entity in the site's spelling; empty for the sandbox's own."""
    if not request.wants_api:
        return "token" if request.asks_token else ""
    table = site.table_named(request.entity)
    name = SPELLINGS.get(request.entity.lower()) or (table.entity.name if table else "other")
    return f"{name}/{request.operation}" if request.operation else name


def _answer(site: Sandbox, request: Request) -> Reply:
    if request.wants_api:
        return _api(site, request)
    if request.asks_token:
        if request.method != "POST":
            raise _unsupported(request)
        return site.tokens.grant(request.content or {})
    if request.parts[:1] == ("_sandbox",):
        return control.answer(site, request)
    if request.method == "GET" and not request.parts:
        return overview(site)
    raise http_error(404, "No HTTP resource was found that matches the request.")


def _api(site: Sandbox, request: Request) -> Reply:
    request = replace(request, user=site.tokens.require(request.authorization))
    early = site.faults.before(site, request)
    if early is not None:
        return early
    with site.lock:
        reply = _served(site, request)
    return site.faults.after(request, reply)


def _served(site: Sandbox, request: Request) -> Reply:
    name = request.entity.lower()
    if name in LISTS and len(request.parts) == 2:
        if request.method != "GET":
            raise _unsupported(request)
        return LISTS[name](site, request)
    if name == "metadata" and (request.method, len(request.parts)) == ("GET", 3):
        return metadata.show_metadata(site, request)
    if name == "querydefinition" and (request.method, request.operation) == ("POST", "_execute"):
        return metadata.execute_query_definition(site, request)
    if name in PARTIES:
        return _party(site, request)
    if name in TYPED:
        reply = TYPED[name](site, request)
        if reply is None:
            raise _unsupported(request)
        return reply
    return _generic(site, request)


def _party(site: Sandbox, request: Request) -> Reply:
    match request.method, request.parts[2:]:
        case "GET", ():
            return party_requests.list_parties(site, request)
        case "POST", ():
            return party_requests.create_party(site, request)
        case "POST", (operation,) if operation.lower() == "_validate":
            return party_requests.validate_party(site, request)
        case "GET", (_,):
            return party_requests.read_party(site, request)
        case "PUT", (_,):
            return party_requests.replace_party(site, request)
        case "DELETE", (_,):
            return party_requests.delete_party(site, request)
    raise _unsupported(request)


def _generic(site: Sandbox, request: Request) -> Reply:
    table = site.table_named(request.entity)
    if table is None:
        raise http_error(404, f"There is no service defined for {request.entity}")
    match request.method, request.parts[2:]:
        case "GET", ():
            return panels.list_rows(site, request, table)
        case "POST", ():
            return panels.create_row(site, request, table)
        case "POST", (operation,) if operation.lower() == "_validate":
            return panels.validate_row(site, request, table)
        case "GET", (_,):
            return panels.read_row(site, request, table)
        case "PUT", (_,):
            return panels.replace_row(site, request, table)
        case "DELETE", (_,):
            return panels.delete_row(site, request, table)
    raise _unsupported(request)


def _unsupported(request: Request) -> RefusedError:
    return http_error(405, f"The requested resource does not support http method '{request.method}'.")
