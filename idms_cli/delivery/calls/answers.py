"""What a step keeps of the answers: fields of their JSON, by dotted paths."""

import json
from collections.abc import Sequence
from typing import Any

from idms_cli.web.sending import Answer


def kept(answer: Answer, fields: Sequence[str]) -> str | None:
    """JSON of the fields that are there; None for an answer that is no JSON, or was cut off."""
    try:
        content = json.loads(answer.body, parse_float=str)  # a number keeps its digits
    except (ValueError, RecursionError):
        return None
    found = {path: value for path in fields if (value := _at(content, path)) is not None}
    return json.dumps(found)


def _at(content: Any, path: str) -> Any:
    """`items.0.id` is the id of the first item."""
    for name in path.split("."):
        if isinstance(content, dict):
            content = content.get(name)
        elif isinstance(content, list) and name.isascii() and name.isdigit() and int(name) < len(content):
            content = content[int(name)]
        else:
            return None
    return content
