"""Relationships between two contacts."""

from idms_cli.errors import InputError
from idms_cli.imis.assumptions import DEFAULT_RELATIONSHIP
from idms_cli.imis.definitions import defined_or
from idms_cli.imis.kinds import Kind
from idms_cli.imis.rows import GenericRows
from idms_cli.imis.site import Site

ENTITY = "Relationship"
KEY = "SEQN"


def open_kind(site: Site, name: str | None) -> Kind:
    """The relationships of the site (K4); there is only one kind, so `name` must be None."""
    if name is not None:
        raise InputError(
            f"Relationships have no name, but {name!r} is given.", hint="Write `destination: relationship`."
        )
    return GenericRows(site, ENTITY, lambda: defined_or(site, ENTITY, DEFAULT_RELATIONSHIP, key=KEY))
