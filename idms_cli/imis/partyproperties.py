"""The properties of a contact: its flat members, and the additional attributes that the site names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from idms_cli.errors import RecordRefused
from idms_cli.imis.assumptions import DEFAULT_ATTRIBUTES, NAME_SUFFIX_MEMBER, PHONE_TYPES
from idms_cli.imis.definitions import items, metadata, nested, properties_of
from idms_cli.imis.getter import Getter
from idms_cli.imis.properties import Property

KEYS = ("ID", "PartyId")
"""Two names of the iMIS ID."""

PLACES = {
    "Prefix": ("PersonName", "NamePrefix"),
    "FirstName": ("PersonName", "FirstName"),
    "MiddleName": ("PersonName", "MiddleName"),
    "LastName": ("PersonName", "LastName"),
    "Suffix": ("PersonName", NAME_SUFFIX_MEMBER),
    "InformalName": ("PersonName", "InformalName"),
    "Title": ("PrimaryOrganization", "Title"),
    "Gender": ("Gender", "Code"),
    "Status": ("Status", "PartyStatusId"),
}
"""Flat name -> object and member that hold it."""

OF_PERSON = tuple(name for name, (container, _) in PLACES.items() if container == "PersonName")
"""What an organization does not have."""

_TOLD_AT = {**PLACES, "Email": ("Emails", "Address"), **dict.fromkeys(["Phone", *PHONE_TYPES], ("Phones", "Number"))}

MEMBERS = (
    Property("ID", key=True, read_only=True),  # the site gives it, and it never changes
    Property("PartyId", read_only=True),
    *(Property(name) for name in OF_PERSON),
    Property("OrganizationName"),
    Property("Title"),
    Property("Email"),
    Property("Phone"),
    *(Property(name) for name in PHONE_TYPES),
    Property("BirthDate", type="Date"),
    Property("Gender"),
    Property("Status"),
)


@dataclass(frozen=True)
class Members:
    """What a contact of this site has."""

    flat: Mapping[str, Property]
    attributes: Mapping[str, Property]
    """`AdditionalAttributes`, by the site's spelling."""

    @property
    def all(self) -> Mapping[str, Property]:
        """Both; a flat member hides an attribute of the same name."""
        return {**self.attributes, **self.flat}


def read_members(site: Getter) -> Members:
    """What `/api/metadata/Party` says; the attributes seen in public code where the site does not describe Party."""
    try:
        described = items(metadata(site, "Party").get("Properties"))
    except RecordRefused as refused:
        site.log(f"The site does not describe contacts ({refused}); the attributes known from other sites are taken")
        described = []
    flat = _as_described(described)
    hidden = {name.casefold() for name in flat}
    attributes = properties_of(nested(described, "AdditionalAttributes")) or _default_attributes()
    return Members(flat, {name: one for name, one in attributes.items() if name.casefold() not in hidden})


def _as_described(described: list[Any]) -> dict[str, Property]:
    """The flat members, with their lengths and codes where the site tells them."""
    flat = {one.name: one for one in MEMBERS}
    for name, (container, member) in _TOLD_AT.items():
        known = properties_of(nested(described, container)).get(member)
        if known is not None:
            told = replace(flat[name], max_length=known.max_length, choices=known.choices, code_list=known.code_list)
            flat[name] = told
    return flat


def _default_attributes() -> dict[str, Property]:
    return {name: Property(name, type=kind) for name, kind in DEFAULT_ATTRIBUTES.items()}
