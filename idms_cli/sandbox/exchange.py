"""One request, one reply, and the refusals that cut a request short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIST = "System.Collections.Generic.List`1[[System.Object, mscorlib]], mscorlib"
HTTP_ERROR = "System.Web.Http.HttpError, System.Web.Http"
SOA = "Asi.Soa.Core.DataContracts"
ADMINISTRATOR = "An error occurred. Please contact the administrator."

WRITING_OPERATIONS = frozenset({"RegisterEvent", "CancelEventRegistration"})
"""The operations of `_execute` that store something."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request as it came, its path split at the slashes and percent-decoded."""

    method: str
    path: str
    parts: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    authorization: str = ""
    content: Any = None
    """The JSON body, or the form's fields; None when there was none."""
    user: str = ""
    """Whose token it carries, once that was checked."""

    def first(self, name: str, default: str = "") -> str:
        """The first query-string value under this name, in any case."""
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    def every(self, name: str) -> list[str]:
        """All query-string values under this name, in their order."""
        return [value for key, value in self.query if key.lower() == name.lower()]

    @property
    def wants_api(self) -> bool:
        return bool(self.parts) and self.parts[0].lower() == "api"

    @property
    def asks_token(self) -> bool:
        return len(self.parts) == 1 and self.parts[0].lower() == "token"

    @property
    def entity(self) -> str:
        """The word after `/api/`, as the request spells it; empty when there is none."""
        return self.parts[1] if self.wants_api and len(self.parts) > 1 else ""

    @property
    def operation(self) -> str:
        """`_execute`, `_validate`, or empty."""
        last = self.parts[-1].lower() if self.parts else ""
        return last if last.startswith("_") else ""

    @property
    def writes(self) -> bool:
        """Whether this asks to store, change or delete something."""
        if not self.wants_api or self.method not in {"POST", "PUT", "DELETE"}:
            return False
        name = self.content.get("OperationName") if isinstance(self.content, dict) else None
        return not self.operation or (self.operation == "_execute" and name in WRITING_OPERATIONS)


@dataclass(frozen=True)
class Reply:
    """What goes back. `content` is made JSON unless it is text, which goes as HTML."""

    status: int = 200
    content: Json | Sequence[Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection instead of answering."""


class RefusedError(Exception):
    """The request ends here, with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def http_error(status: int, message: str, **headers: str) -> RefusedError:
    """The error body of ASP.NET Web API, on which iMIS runs."""
    content = {"$type": HTTP_ERROR, "Message": message}
    return RefusedError(Reply(status, content, {name.replace("_", "-"): text for name, text in headers.items()}))


def bad_data() -> RefusedError:
    """What iMIS says of data that got past its validation and failed further in."""
    return http_error(500, ADMINISTRATOR)


def not_found() -> RefusedError:
    """No such record. The body is our choice: no public source shows it (assumption A17)."""
    return http_error(404, "The requested resource was not found.")


def invalid(messages: Sequence[str]) -> RefusedError:
    """400 with one `ValidationResultData` for each message."""
    return RefusedError(Reply(400, validation_results(messages)))


def validation_results(messages: Sequence[str]) -> Json:
    """The class name and `Errors`, `Warnings`, `Message` are known; all else in it is our choice (assumption A16)."""
    collection = f"{SOA}.ValidationResultDataCollection, Asi.Contracts"
    item = f"{SOA}.ValidationResultData, Asi.Contracts"
    return {
        "$type": f"{SOA}.ValidationResultsData, Asi.Contracts",
        "Errors": {"$type": collection, "$values": [{"$type": item, "Message": text} for text in messages]},
        "Warnings": {"$type": collection, "$values": []},
    }
