"""Templates and conditions over the columns of a row, in a small part of Jinja2's language.

Three walls, since a template may come from anybody and a cell from everybody: only a small part of the language passes
(`language.py`: no loop, call, attribute, assignment or power, so that the work is bounded by the length of the text);
filters and operators bound what they make; and what is left runs in Jinja2's own sandbox. A cell is a value to a
template and never a part of it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from idms_cli.records.filters import FILTERS, LIMIT, Unfit, joined, number_of, written
from idms_cli.records.forms import stripped
from idms_cli.records.language import WORDS, NotATemplate, check, column_of, columns

LONGEST = 4_000
"""Characters of a template."""

Cells = tuple[str, ...]


class Expression:
    """A template or condition that was read and found harmless, but not yet bound to the columns of a file."""

    def __init__(self, text: str, read: Callable[[str], nodes.Template]) -> None:
        self._text = text
        self._read = read
        self.columns = tuple(dict.fromkeys(columns(_parsed(text, read))))
        """The names of columns in it, as they are spelled there."""

    def bound(self, indexes: Mapping[str, int], *, strip: bool = True) -> Callable[[Cells], str]:
        """A function of the cells of a row. `indexes` has the place of each of `columns`.

        `strip` takes the space around cells away. The function raises `Unfit`, and nothing else.
        """
        renamed = _Renamer(indexes).visit(self._read(self._text))
        template = _ENVIRONMENT.template_class.from_code(_ENVIRONMENT, _ENVIRONMENT.compile(renamed), {})
        places = tuple((_variable(index), index) for index in sorted(set(indexes.values())))
        render, context_of = template.root_render_func, template.new_context

        def evaluate(cells: Cells) -> str:
            row = {name: stripped(cells[index]) if strip else cells[index] for name, index in places}
            try:
                return _collected(render(context_of(row, shared=True)))
            except Unfit:
                raise
            except Exception as error:  # whatever an expression makes of a cell is the fault of that row alone
                raise Unfit(_reason(error)) from error

        return evaluate


def parse_template(text: str) -> Expression:
    """The template in a text such as `{{ course }} ({{ hours }} h)`. Raises `NotATemplate`."""
    return Expression(text, _template)


def parse_condition(text: str) -> Expression:
    """The condition in a text such as `grade in ['A', 'B'] and hours|number > 3`; as a template it makes `1` or ``.

    Raises `NotATemplate`.
    """
    return Expression(text, _condition)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox without its filters, tests and globals, and with arithmetic on numbers only."""

    intercepted_binops = frozenset({"+", "-", "*", "/"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, finalize=written, optimized=False, cache_size=0)
        self.filters = dict(FILTERS)
        self.tests.clear()
        self.globals.clear()

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - jinja2's
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return joined([left, right])
        one, other = number_of(left), number_of(right)
        match operator:
            case "+":
                return one + other
            case "-":
                return one - other
            case "*":
                return one * other
        if not other:
            raise Unfit("it divides by zero")
        return one / other


_ENVIRONMENT = _Environment()


def _parsed(text: str, read: Callable[[str], nodes.Template]) -> nodes.Template:
    if len(text) > LONGEST:
        raise NotATemplate(f"this has {len(text):,} characters; {LONGEST:,} are allowed")
    try:
        tree = read(text)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        raise NotATemplate(f"this cannot be read: {message}", hint=WORDS) from None
    except (ValueError, OverflowError, RecursionError, MemoryError):  # a number with 5,000 digits; 1,000 brackets
        raise NotATemplate("this cannot be read: something in it is absurdly large or deep") from None
    check(tree)
    return tree


def _template(text: str) -> nodes.Template:
    return Parser(_ENVIRONMENT, text).parse()


def _condition(text: str) -> nodes.Template:
    parser = Parser(_ENVIRONMENT, text, state="variable")
    condition = parser.parse_expression()
    if not parser.stream.eos:
        parser.fail("something stands behind the condition")
    then = nodes.Output([nodes.TemplateData("1")])
    tree = nodes.Template([nodes.If(condition, [then], [], [], lineno=1)], lineno=1)
    tree.set_environment(_ENVIRONMENT)
    return tree


class _Renamer(NodeTransformer):
    """Gives every column a name of our own, so that none can mean something to Jinja2 (`self`, `loop`, `range`)."""

    def __init__(self, indexes: Mapping[str, int]) -> None:
        self._indexes = indexes

    def visit_Name(self, node: nodes.Name) -> nodes.Name:  # noqa: N802 - jinja2's
        return self._variable(node.name, node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        column = column_of(node)
        return self.generic_visit(node) if column is None else self._variable(column, node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """`~` becomes the filter that bounds its result."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        made = nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)
        return made.set_environment(_ENVIRONMENT)

    def _variable(self, column: str, node: nodes.Node) -> nodes.Name:
        made = nodes.Name(_variable(self._indexes[column]), "load", lineno=node.lineno)
        made.set_environment(_ENVIRONMENT)
        return made


def _variable(index: int) -> str:
    return f"column_{index}"


def _collected(pieces: Iterator[str]) -> str:
    found: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LIMIT:
            raise Unfit(f"it makes more than {LIMIT:,} characters")
        found.append(piece)
    return "".join(found)


def _reason(error: Exception) -> str:
    if isinstance(error, TypeError):
        return "text and numbers are mixed in it: put |number after a column that is to be a number"
    if isinstance(error, TemplateError):
        return "it takes a character that the text does not have"
    return "a number in it is beyond all bounds" if isinstance(error, ArithmeticError) else type(error).__name__
