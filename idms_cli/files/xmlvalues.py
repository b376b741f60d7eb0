"""An XML element becomes a record: its children and attributes are values, each under its path."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from idms_cli.files.shape import Flat, Record


class Element:
    """One element with all that is in it. Lighter than the standard library's, and it keeps text in its place."""

    __slots__ = ("attributes", "name", "parts")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.parts: list[str | Element] = []
        """Text and elements, in their order."""

    def is_text(self) -> bool:
        """Whether there is no element inside."""
        return not self.parts or (len(self.parts) == 1 and isinstance(self.parts[0], str)) or not self.children()

    def children(self) -> list["Element"]:
        """The elements directly inside."""
        return [part for part in self.parts if isinstance(part, Element)]

    def text(self) -> str:
        """The text directly inside, without the space around it."""
        return "".join(part for part in self.parts if isinstance(part, str)).strip()

    def as_xml(self) -> str:
        """The element written as XML again."""
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in self.attributes.items())
        return f"<{self.name}{attributes}>{self.inside_as_xml()}</{self.name}>"

    def inside_as_xml(self) -> str:
        """What is inside the element, written as XML again."""
        return "".join(escape(part) if isinstance(part, str) else part.as_xml() for part in self.parts)


def as_record(element: Element, *, number: int, join: str) -> Record:
    """The values in an element.

    A child is a value under its name, an attribute under `@name`, what is deeper under `outer.inner` and
    `outer.@name`; text of the element itself under the element's own name. Children that are repeated and hold only
    text are one value, joined; others that are repeated, and text mixed with elements, are kept as their XML.
    """
    flat = Flat(join)
    _attributes(element, "", flat)
    if element.text():
        flat.put(element.name, element.text() if element.is_text() else element.inside_as_xml().strip())
    _children(element, "", flat)
    return Record(number, flat.values, flat.faults, element.as_xml)


def _children(element: Element, prefix: str, flat: Flat) -> None:
    by_name: dict[str, list[Element]] = {}
    for child in element.children():
        by_name.setdefault(child.name, []).append(child)
    for name, same in by_name.items():
        if len(same) == 1:
            _one(same[0], prefix + name, flat)
        else:
            _several(same, prefix + name, flat)


def _one(element: Element, name: str, flat: Flat) -> None:
    if element.attributes:
        _attributes(element, f"{name}.", flat)
    if element.is_text():
        flat.put(name, element.text())
    elif element.text():
        flat.put(name, element.inside_as_xml().strip())
    else:
        _children(element, f"{name}.", flat)


def _several(elements: list[Element], name: str, flat: Flat) -> None:
    if all(element.is_text() and not element.attributes for element in elements):
        flat.put_list(name, [element.text() for element in elements])
        return
    flat.put(name, "".join(element.as_xml() for element in elements))
    flat.faults[f"{name}."] = f"'{name}' is there {len(elements)} times"


def _attributes(element: Element, prefix: str, flat: Flat) -> None:
    for name, value in element.attributes.items():
        if name != "xmlns" and not name.startswith("xmlns:"):
            flat.put(f"{prefix}@{name}", value)
