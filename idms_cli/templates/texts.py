"""A text with `{{ }}` in it, over named values: file names, documents, messages, addresses."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import IdmsError
from idms_cli.templates.budget import STEPS, Budget
from idms_cli.templates.sandbox import BUDGET, CHECKER, FUNCTIONS, GIVEN, Bounding, Sandbox
from idms_cli.templates.values import Unfit
from idms_cli.templates.widelanguage import NotAText

__all__ = ["NotAText", "Text", "Unrendered", "Value", "parse_text", "parse_value"]

LONGEST = 200_000
"""Characters of a template."""

SHORT = 1_000
"""Characters of a template that is kept once it was read."""

MOST = 10_000_000
"""Characters that `render` makes at most."""

_RESULT = "_result"  # no template can say so


class Unrendered(ValueError):
    """A template cannot be worked out for these values; the message is the end of a sentence that says why."""


class _Parsed:
    """A template that was read and found harmless."""

    def __init__(self, source: str, tree: nodes.Template) -> None:
        self.source = source
        self._lines = _names(tree)
        self.names = tuple(self._lines)
        """Of the values that it wants, in the order of their first use."""
        self.parts = _parts(tree)
        """Names, each with a part that is taken of it, where the template says which: `input.since`."""
        self._several = source.count("\n", 0, len(source.rstrip())) > 0
        bounded = Bounding(_SANDBOX).visit(tree)
        self._template = _SANDBOX.template_class.from_code(_SANDBOX, _SANDBOX.compile(bounded), {})

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises `NotAText` for the first name that is not known, with the nearest one that is."""
        for name, line in self._lines.items():
            if name not in known:
                hint = did_you_mean(name, known) or f"there are: {', '.join(map(shortened, known))}"
                raise NotAText(f"{self._place(line)}there is no '{shortened(name)}' here", hint=hint, line=line)

    def _context(self, values: Mapping[str, Any], steps: int) -> Any:
        return self._template.new_context({**FUNCTIONS, **values, BUDGET: Budget(steps)}, shared=True)

    def _place(self, line: int | None) -> str:
        return f"line {line}: " if self._several and line else ""

    def _unrendered(self, error: Exception) -> Unrendered:
        return Unrendered(f"{self._place(self._line_of(error.__traceback__))}{_reason(error)}")

    def _line_of(self, traceback: TracebackType | None) -> int | None:
        line = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == "<template>":
                line = self._template.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


class Text(_Parsed):
    """A template that makes text."""

    def render(self, values: Mapping[str, Any], *, limit: int = MOST, steps: int = STEPS) -> str:
        """The text for these values, of at most `limit` characters. Raises `Unrendered`."""
        found: list[str] = []
        size = 0
        for piece in self.generate(values, steps=steps):
            size += len(piece)
            if size > limit:
                raise Unrendered(f"it makes more than {limit:,} characters")
            found.append(piece)
        return "".join(found)

    def generate(self, values: Mapping[str, Any], *, steps: int = STEPS) -> Iterator[str]:
        """The text piece by piece, of any length. Raises `Unrendered`, and what the values themselves raise."""
        try:
            yield from self._template.root_render_func(self._context(values, steps))
        except (IdmsError, OSError):
            raise
        except Exception as error:  # whatever an expression makes of a value is the fault of the template
            raise self._unrendered(error) from error


class Value(_Parsed):
    """A template that is one expression, and keeps what that makes: a number, a list, a mapping."""

    def render(self, values: Mapping[str, Any], *, steps: int = STEPS) -> Any:
        """The value. Raises `Unrendered`."""
        context = self._context(values, steps)
        try:
            for _ in self._template.root_render_func(context):
                pass
            return context.vars[_RESULT]
        except (IdmsError, OSError):
            raise
        except Exception as error:
            raise self._unrendered(error) from error


def parse_text(text: str) -> Text:
    """Raises `NotAText`."""
    return Text(text, _tree(text))


def parse_value(text: str) -> Value | Text:
    """A text that is one whole `{{ expression }}` keeps the type of what that makes. Raises `NotAText`.

    A short one that comes again is not read again: a job file is read several times by one command.
    """
    return _kept_value(text) if len(text) <= SHORT else _value(text)


@lru_cache(maxsize=4_000)
def _kept_value(text: str) -> Value | Text:
    return _value(text)


def _value(text: str) -> Value | Text:
    tree = _tree(text)
    match tree.body:
        case [nodes.Output(nodes=[nodes.Expr() as only])] if not isinstance(only, nodes.TemplateData):
            made = nodes.Filter(only, GIVEN, [], [], None, None, lineno=only.lineno)
            tree.body = [nodes.Assign(nodes.Name(_RESULT, "store", lineno=1), made, lineno=only.lineno)]
            tree.set_environment(_SANDBOX)
            return Value(text, tree)
    return Text(text, tree)


def _tree(text: str) -> nodes.Template:
    if len(text) > LONGEST:
        raise NotAText(f"this has {len(text):,} characters; {LONGEST:,} are allowed")
    try:
        tree = _SANDBOX.parse(text)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        raise NotAText(f"{_at(text, error.lineno)}this cannot be read: {message}", line=error.lineno) from None
    except (ValueError, OverflowError, RecursionError, MemoryError):  # a number with 5,000 digits; 1,000 brackets
        raise NotAText("this cannot be read: something in it is absurdly large or deep") from None
    try:
        CHECKER.check(tree)
    except NotAText as error:
        raise NotAText(f"{_at(text, error.line)}{error}", hint=error.hint, line=error.line) from None
    return tree


def _at(text: str, line: int) -> str:
    return f"line {line}: " if "\n" in text.rstrip() else ""


def _names(tree: nodes.Template) -> dict[str, int]:
    """What a template wants that it does not make itself, with the line where it first does."""
    wanted = meta.find_undeclared_variables(tree) - set(FUNCTIONS)
    lines: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.name in wanted and name.ctx == "load":
            lines.setdefault(name.name, name.lineno)
    return lines


def _parts(tree: nodes.Template) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        match node:
            case nodes.Getattr(node=nodes.Name() as of, attr=str() as part):
                found[of.name, part] = None
            case nodes.Getitem(node=nodes.Name() as of, arg=nodes.Const(value=str() as part)):
                found[of.name, part] = None
    return tuple(found)


def _reason(error: Exception) -> str:
    if isinstance(error, Unfit):
        return str(error)
    if isinstance(error, TypeError):
        return "text and numbers are mixed in it: put |number after what is to be a number"
    if isinstance(error, TemplateError):
        return (error.message or "it cannot be worked out").rstrip(".")
    if isinstance(error, ValueError) and "unpack" in str(error):
        return "a loop takes parts that an item does not have"
    return "a number in it is beyond all bounds" if isinstance(error, ArithmeticError) else type(error).__name__


_SANDBOX = Sandbox()
