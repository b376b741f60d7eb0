"""The text of one JSON document, taken piece by piece: only what is needed of it is in memory."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

from idms_cli.errors import InputError
from idms_cli.files.jsonvalues import Decoded, JsonReader, TooDeep
from idms_cli.files.source import unreadable
from idms_cli.files.text import LINE_LIMIT

_CHUNK = 64 * 1024
_SPACE = " \t\r\n"
_MEND = "Check that the file was written, and copied, to its end."


class JsonText:
    """A place in the text of a document, which only moves forward."""

    def __init__(self, path: Path, stream: io.TextIOBase) -> None:
        self._path = path
        self._stream = stream
        self._reader = JsonReader()
        self._text = ""
        self._at = 0
        self._line = 1

    def peek(self) -> str:
        """The next character that is no space; empty at the end of the document."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def items(self, opening: str, closing: str, *, hint: str = _MEND) -> Iterator[None]:
        """One turn for each item of a list or object; who asks takes the item before the next turn."""
        self._take(opening, hint=hint)
        if self.peek() != closing:
            yield
            while self.peek() == ",":
                self._take(",")
                yield
        self._take(closing)

    def name(self) -> str:
        """The name of an object's next member, and the colon after it."""
        if self.peek() != '"':
            raise self._unexpected('"', hint=_MEND)
        decoded, _ = self.value()
        self._take(":")
        return str(decoded.value)

    def value(self) -> tuple[Decoded, str]:
        """The next value and its text. Raises `InputError` for one that is no JSON or longer than `LINE_LIMIT`."""
        self.peek()
        while True:
            try:
                decoded = self._reader.decode(self._text, self._at)
            except TooDeep as error:
                raise self.error("the value that begins here is nested too deep", hint=_MEND) from error
            except json.JSONDecodeError as error:
                if self._is_too_long() or not self._more():
                    raise self._no_json(error) from error
                continue
            if decoded.end < len(self._text) or not self._more():  # else it may be half a number
                text = self._text[self._at : decoded.end]
                self._at = decoded.end
                return decoded, text

    def pass_over(self) -> None:
        """Go on to the end of the next value. A list or object may be of any length, its items as `value` says."""
        match self.peek():
            case "[":
                for _ in self.items("[", "]"):
                    self.value()
            case "{":
                for _ in self.items("{", "}"):
                    self.name()
                    self.value()
            case _:
                self.value()

    def error(self, message: str, *, hint: str) -> InputError:
        """An error about this place in the document."""
        return InputError(f"{self.place()}: {message}.", hint=hint)

    def place(self) -> str:
        """The file and line of this place."""
        return f"{self._path}:{self._line_at(self._at)}"

    def _take(self, wanted: str, *, hint: str = _MEND) -> None:
        if self.peek() != wanted:
            raise self._unexpected(wanted, hint=hint)
        self._at += 1

    def _unexpected(self, wanted: str, *, hint: str) -> InputError:
        found = self.peek()
        if not found:
            return self.error("the document ends in the middle", hint=_MEND)
        return self.error(f"here stands {found!a}, and '{wanted}' is wanted", hint=hint)

    def _no_json(self, error: json.JSONDecodeError) -> InputError:
        if self._is_too_long():
            return self.error(
                f"the value that begins here is longer than {LINE_LIMIT:,} characters, or no JSON",
                hint="Records are read whole; look for a bracket or quote that is not closed.",
            )
        if error.pos >= len(self._text) or error.msg.startswith("Unterminated"):
            return self.error("the document ends in the middle of a value that begins here", hint=_MEND)
        place = self._line_at(error.pos)
        return InputError(f"{self._path}:{place}: this is not JSON: {error.msg}.", hint=_MEND)

    def _is_too_long(self) -> bool:
        return len(self._text) - self._at > LINE_LIMIT

    def _line_at(self, position: int) -> int:
        return self._line + self._text.count("\n", 0, position)

    def _more(self) -> bool:
        """Take more text, as much again as is at hand; False at the end of the document."""
        rest = self._text[self._at :]
        try:
            more = self._stream.read(max(_CHUNK, len(rest)))
        except UnicodeError as error:
            raise self.error(f"the text after this line cannot be decoded: {error}", hint="Say `encoding:`.") from error
        except OSError as error:
            raise unreadable(self._path, error) from error
        if not more:
            return False
        self._line = self._line_at(self._at)
        self._text, self._at = rest + more, 0
        return True
