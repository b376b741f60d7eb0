"""Request bodies, read as tolerantly as Json.NET reads them: names in any case, lists bare or in `$values`."""

from typing import Any

from idms_cli.sandbox.exchange import Json, bad_data, http_error


def required_body(content: Any) -> Json:
    """The JSON object of a write. Refused without `$type`, which tells iMIS what is meant; status is our choice."""
    if not isinstance(content, dict):
        raise http_error(400, "The request body is not a JSON object.")
    if not isinstance(content.get("$type"), str):
        raise http_error(400, "The $type of the data contract is missing.")
    return content


def member(body: Any, name: str) -> Any:
    """A member by its name in any case; None when it is not there."""
    if not isinstance(body, dict):
        return None
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def listed(collection: Any) -> list[Any]:
    """The items of a collection. Anything that is no collection is bad data."""
    items = collection.get("$values", []) if isinstance(collection, dict) else collection
    if items is None:
        return []
    if not isinstance(items, list):
        raise bad_data()
    return items


def pairs(collection: Any) -> dict[str, Any]:
    """A collection of name and value -> a mapping; a name without a value is null."""
    found: dict[str, Any] = {}
    for item in listed(collection):
        name = member(item, "Name")
        if not isinstance(name, str) or not name:
            raise bad_data()
        found[name] = member(item, "Value")
    return found
