"""Activities of a contact."""

from idms_cli.errors import InputError
from idms_cli.imis.assumptions import DEFAULT_ACTIVITY
from idms_cli.imis.definitions import Definition
from idms_cli.imis.kinds import Kind
from idms_cli.imis.properties import Property
from idms_cli.imis.rows import GenericRows
from idms_cli.imis.site import Site

ENTITY = "Activity"
KEY = "SEQN"


def open_kind(site: Site, name: str | None) -> Kind:
    """The activities of the site; there is only one kind, so `name` must be None."""
    if name is not None:
        raise InputError(f"Activities have no name, but {name!r} is given.", hint="Write `destination: activity`.")
    return GenericRows(site, ENTITY, lambda: _definition(site))


def _definition(site: Site) -> Definition:
    """What the site says of activities; where it says nothing, the properties seen in public code."""
    try:
        return site.definition(ENTITY)
    except InputError as unknown:
        site.log(f"{unknown} The properties known from other sites are taken.")
        properties = {
            name: Property(name, type=kind, key=name == KEY, read_only=name == KEY)
            for name, kind in DEFAULT_ACTIVITY.items()
        }
        return Definition(ENTITY, properties, object_type="Standard", parent="Party")
