"""The site's metadata: which business objects there are, and of what type and length their properties."""

import difflib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import quote

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.assumptions import EQUAL, PARTY_KEYS
from idms_cli.imis.getter import Getter
from idms_cli.imis.pages import Page, Pages, Row, parse
from idms_cli.imis.properties import TYPES, CodeList, Property
from idms_cli.imis.values import plain_name

_CATALOGUE = "/api/BoEntityDefinition"


class NotDescribed(InputError):
    """The site has no business object of this name, or does not tell what it is like."""


@dataclass(frozen=True)
class Definition:
    """One business object."""

    name: str
    """The site's spelling of `EntityTypeName`."""
    properties: Mapping[str, Property]
    """By the site's spelling."""
    object_type: str = ""
    """`Single`, `Multi`, `Standard`: how many rows a parent may have. Empty when the site does not say."""
    parent: str = ""
    """`Party`, `Standalone`, `Event`, or empty."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the key properties, in the order of the metadata."""
        return tuple(one.name for one in self.properties.values() if one.key)


class Definer(Protocol):
    """What `defined_or` needs of a site."""

    log: Callable[[str], None]

    def definition(self, entity: str) -> Definition: ...


class Definitions:
    """Reads the catalogue of a site once, or the metadata of one entity where there is no catalogue."""

    def __init__(self, site: Getter) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._catalogue: dict[str, Definition] | None = None
        self._single: dict[str, Definition] = {}

    def of(self, entity: str) -> Definition:
        """As `Site.definition`."""
        wanted = entity.casefold()
        with self._lock:
            if self._catalogue is None:
                self._catalogue = self._read_catalogue()
            found = self._catalogue.get(wanted) or self._single.get(wanted)
            if found is None and not self._catalogue:
                found = self._single[wanted] = self._read_single(entity)
        if found is None:
            raise _unknown(entity, [one.name for one in self._catalogue.values()])
        return found

    def _read_catalogue(self) -> dict[str, Definition]:
        """All definitions by name in lower case; empty where the site offers no catalogue (501 was reported)."""

        what = "The list of business objects"

        def fetch(limit: int, offset: int, shrinkable: bool) -> Page[Row]:
            window = [("limit", str(limit)), ("offset", str(offset))]
            return parse(self._site.get(_CATALOGUE, window, shrinkable=shrinkable), offset, what)

        pages = Pages(fetch, what=what, size=self._site.page_size, log=self._site.log)
        try:
            definitions = [definition_of(row) for row in pages.rows()]
        except RecordRefused as refused:
            if refused.status not in {404, 405, 501}:
                raise
            self._site.log(f"The site lists no business objects ({refused})")
            return {}
        return {one.name.casefold(): one for one in definitions if one.name}

    def _read_single(self, entity: str) -> Definition:
        try:
            content = metadata(self._site, entity)
        except RecordRefused as refused:
            if refused.status == 404:
                raise _unknown(entity, []) from refused
            raise NotDescribed(
                f"The site does not describe {entity} ({refused}).",
                hint="The user of this connection must be allowed to read BoEntityDefinition or the entity's metadata.",
            ) from refused
        found = definition_of({"EntityTypeName": entity, **content})
        below_party = not PARTY_KEYS.isdisjoint(found.properties)
        return found if found.parent or not below_party else replace(found, parent="Party")


def defined_or(site: Definer, entity: str, known: Mapping[str, str], *, key: str) -> Definition:
    """What the site says of an entity below Party; where it says nothing, the properties `known` (name -> type)."""
    try:
        return site.definition(entity)
    except NotDescribed as unknown:
        site.log(f"{unknown} The properties known from other sites are taken.")
        properties = {
            name: Property(name, type=kind, key=name == key, read_only=name == key) for name, kind in known.items()
        }
        return Definition(entity, properties, object_type="Standard", parent="Party")


def metadata(site: Getter, entity: str) -> dict[str, Any]:
    """`/api/metadata/{entity}` as it comes. Raises `RecordRefused` where it is not offered (501 for some entities)."""
    content = site.get(f"/api/metadata/{quote(entity, safe='')}")
    return content if isinstance(content, dict) else {}


def definition_of(row: Row) -> Definition:
    """A definition from its JSON, in which false and empty members may be left out."""
    return Definition(
        name=str(row.get("EntityTypeName") or ""),
        properties=properties_of(items(row.get("Properties"))),
        object_type=str(row.get("ObjectTypeName") or "").capitalize(),
        parent=str(row.get("PrimaryParentEntityTypeName") or ""),
    )


def properties_of(described: Iterable[Mapping[str, Any]]) -> dict[str, Property]:
    """Properties by name, from their descriptions in any kind of metadata."""
    found = (property_of(one) for one in described)
    return {one.name: one for one in found if one.name}


def property_of(described: Mapping[str, Any]) -> Property:
    """One property from its description (`PropertyType...Data`)."""
    extended = described.get("ExtendedPropertyInformation") or {}
    return Property(
        name=plain_name(str(described.get("Name") or "")),
        type=_type(described),
        max_length=described.get("MaxLength") or None,
        precision=described.get("Precision") or None,
        scale=described.get("Scale"),
        required=bool(described.get("Required")),
        key=bool(described.get("IsIdentity")),
        read_only=bool(extended.get("IsReadOnly") or extended.get("IsDbIdentity")),
        choices=_choices(described.get("Rule")),
        code_list=_code_list(described.get("Rule")),
    )


def items(collection: Any) -> list[Any]:
    """The elements of a collection: its `$values`, or a bare list; empty for anything else."""
    if isinstance(collection, dict):
        collection = collection.get("$values")
    return [one for one in collection if isinstance(one, dict)] if isinstance(collection, list) else []


def nested(described: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """The descriptions inside the member `name` of an entity: of an object, or of a name/value collection."""
    for one in described:
        if one.get("Name") == name:
            inner = one.get("EntityDefinition") or one.get("ItemEntityPropertyDefinition") or {}
            return items(one.get("GenericPropertyDefinitions")) or items(inner.get("Properties"))
    return []


def near_match(word: str, words: Iterable[str]) -> str:
    """` Did you mean 'X'?`, or nothing when no word is near."""
    spelled = {one.casefold(): one for one in words}
    near = difflib.get_close_matches(word.casefold(), spelled, n=1)
    return f" Did you mean {spelled[near[0]]!r}?" if near else ""


def _type(described: Mapping[str, Any]) -> str:
    name = described.get("PropertyTypeName")
    if not isinstance(name, str):
        found = re.search(r"PropertyType(\w+?)Data\b", str(described.get("$type", "")))
        name = found.group(1) if found else "String"
    return name if name in TYPES else {"DateTime": "Date", "Int": "Integer"}.get(name, "String")


def _choices(rule: Any) -> tuple[str, ...]:
    if not isinstance(rule, dict):
        return ()
    return tuple(str(one.get("Name")) for one in items(rule.get("ValueList")) if one.get("Name"))


def _code_list(rule: Any) -> CodeList | None:
    """A rule that takes the codes from the rows of an entity (K8)."""
    query = rule.get("Query") if isinstance(rule, dict) else None
    entity = query.get("EntityTypeName") if isinstance(query, dict) else None
    if not isinstance(query, dict) or not entity:
        return None
    conditions, is_readable = [], True
    for criterion in items(query.get("Criteria")):
        values = criterion.get("Values")
        values = values.get("$values") if isinstance(values, dict) else values
        if criterion.get("Operation") == EQUAL and isinstance(values, list) and len(values) == 1:
            conditions.append((str(criterion.get("PropertyName") or ""), str(values[0])))
        else:
            is_readable = False
    value = str(rule.get("ValuePropertyName") or "")
    return CodeList(str(entity), value, tuple(conditions), is_readable and bool(value))


def _unknown(entity: str, names: list[str]) -> NotDescribed:
    return NotDescribed(
        f"The site has no business object {entity!r}.{near_match(entity, names)}",
        hint="The name is the one of the panel source or business object in iMIS, such as ABC_Scores.",
    )
