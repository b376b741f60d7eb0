"""Logins of contacts: created, never changed."""

from collections.abc import Mapping

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.assumptions import LOGIN_EXISTS
from idms_cli.imis.entities import addressable, agree, filtered, hits, read_one
from idms_cli.imis.kinds import KINDS, Key, Kind, Record
from idms_cli.imis.party import contract, primary_email
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import Body
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of

ENTITY = "User"
PROPERTIES = (Property("ID", key=True), Property("UserName"))


def open_kind(site: Site, name: str | None) -> Kind:
    """The logins of the site; there is only one kind, so `name` must be None."""
    if name is not None:
        raise InputError(f"Logins have no name, but {name!r} is given.", hint="Write `destination: user_login`.")
    return Logins(site)


class Logins:
    """Logins by the contact's ID. Passwords are none of our business: members choose their own on the site."""

    entity = ENTITY

    def __init__(self, site: Site) -> None:
        self._site = site

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; without asking the site."""
        return {one.name: one for one in PROPERTIES}

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """As `Kind.find`: by the contact's ID, or by the user name."""
        wanted = self._spelled(match)
        if "ID" in wanted:
            record = self.read((text_of(wanted["ID"]),))
            return [record] if record and agree(wanted, record.values, loose=_always) else []

        def meets(row: Body) -> Record | None:
            record = _record(row)
            return record if agree(wanted, record.values, loose=_always) else None

        return hits(filtered(self._site, ENTITY, wanted, every=every), meets, what="Searching logins")

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        if len(key) != 1 or not addressable(key):
            return None
        body = read_one(self._site, ENTITY, key)
        return _record(body) if body is not None else None

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`: for a contact with an e-mail address, which is the user name where none is given.

        Raises `RecordRefused` with the code `exists` when the contact has a login, or another has that name.
        """
        wanted = self._spelled(values)
        (contact,) = needed(wanted, "ID")
        user_name = text_of(wanted.get("UserName")) or self._email(contact)
        body = {"$type": contract("UserData"), "UserName": user_name, "UserId": contact}
        try:
            self._site.post(f"/api/{ENTITY}", body)
        except (RecordRefused, OutcomeUnknown) as error:
            if LOGIN_EXISTS in str(error):
                raise RecordRefused(
                    [f"Contact {contact} has a login already"], status=error.status, code="exists"
                ) from error
            raise
        return (contact,)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """Always raises `RecordRefused`."""
        raise _not_allowed(record, "update", *changes)

    def delete(self, record: Record) -> None:
        """Always raises `RecordRefused`."""
        raise _not_allowed(record, "delete")

    def _email(self, contact: str) -> str:
        body = read_one(self._site, "Party", (contact,)) if addressable((contact,)) else None
        if body is None:
            raise RecordRefused([f"There is no contact {contact}"], status=404, code="not-found")
        email = text_of((primary_email(body) or {}).get("Address"))
        if not email:
            raise RecordRefused([f"Contact {contact} needs an e-mail address before a login"], code="validation")
        return email

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="A login")


def _record(body: Body) -> Record:
    contact = text_of(body.get("UserId"))
    return Record((contact,), {"ID": contact, "UserName": body.get("UserName")}, body)


def _not_allowed(record: Record, action: str, *names: str) -> RecordRefused:
    text = f"The login of contact {record.key[0]}: {KINDS['user_login'].refuses[action]}"
    return RecordRefused([f"{text} ({', '.join(names)})" if names else text], code="not-allowed")


def _always(_name: str) -> bool:
    return True
