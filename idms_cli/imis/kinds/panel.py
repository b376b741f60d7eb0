"""Rows of any business object: single-instance, multi-instance and standalone panels."""

from idms_cli.errors import InputError
from idms_cli.imis.kinds import Kind
from idms_cli.imis.rows import GenericRows
from idms_cli.imis.site import Site


def open_kind(site: Site, name: str | None) -> Kind:
    """The business object `name`, in any case. Whether the site has it is asked when it is first used."""
    if not name:
        raise InputError("A panel needs a name.", hint="Write `destination: {panel: ABC_Scores}`.")
    return GenericRows(site, name, lambda: site.definition(name))
