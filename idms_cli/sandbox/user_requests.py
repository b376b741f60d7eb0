"""User: logins of contacts, to be listed, read and created."""

from idms_cli.sandbox.bodies import listed, member, required_body
from idms_cli.sandbox.contracts import USER
from idms_cli.sandbox.exchange import Json, Reply, Request, http_error, invalid, not_found
from idms_cli.sandbox.filters import conditions, equals
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.panels import key_in
from idms_cli.sandbox.party_shape import MEMBERSHIP, primary
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import Row

CONTRACT = f"{MEMBERSHIP}.UserData, Asi.Contracts"


def answer(site: Sandbox, request: Request) -> Reply | None:
    """What the entity offers; everything else is None."""
    match request.method, request.parts[2:]:
        case "GET", ():
            window, rows = site.faults.page(request, site.table("User").find(conditions(USER, request.query)))
            return paged(window, [_shown(row) for row in rows], item_type=CONTRACT)
        case "POST", ():
            return _create(site, request)
        case "GET", (_,):
            row = site.table("User").rows.get(key_in(request, 1))
            if row is None:
                raise not_found()
            return Reply(200, _shown(row))
    return None


def _create(site: Sandbox, request: Request) -> Reply:
    """Only for a contact with an e-mail address. A second login is refused with the word of ASP.NET Membership."""
    body = required_body(request.content)
    table = site.table("User")
    row: Row = {name: str(member(body, name) or "") for name in ("UserId", "UserName")}
    party = site.parties.get(str(row["UserId"]))
    if party is None or not row["UserName"]:
        raise invalid(["A user needs a user name and a contact."])
    if not listed(party["Emails"]) or not primary(party["Emails"], "Address"):
        raise invalid([f"Contact {row['UserId']} has no e-mail address."])
    if table.key_of(row) in table.rows:
        raise http_error(400, "The user was not created: DuplicateProviderUserKey")
    if table.find([equals("UserName", row["UserName"])]):
        raise http_error(400, "The user was not created: DuplicateUserName")
    table.put(row)
    site.ledger.wrote(request, "User", table.key_of(row), str(row["UserName"]))
    return Reply(201, _shown(row))


def _shown(row: Row) -> Json:
    return {"$type": CONTRACT, "UserId": row["UserId"], "UserName": row["UserName"], "IsAnonymous": False}
