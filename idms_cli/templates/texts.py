"""A text with `{{ }}` in it, over named values."""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment


class NotAText(ValueError):
    """The text is no template that is allowed here; the message says why."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Unrendered(ValueError):
    """A template cannot be worked out for these values; the message is the end of a sentence that says why."""


class Text:
    """A template that was read and found harmless."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these values. Raises `Unrendered`."""
        try:
            return self._template.render(values)
        except TemplateError as error:
            raise Unrendered(error.message or type(error).__name__) from error


def parse_text(text: str) -> Text:
    """Raises `NotAText`."""
    try:
        return Text(_ENVIRONMENT.from_string(text))
    except TemplateSyntaxError as error:
        raise NotAText(error.message or "it cannot be read") from None


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
