"""The wide sandbox: Jinja2's own, in which a name reaches values and their parts, and nothing of Python.

Four walls. The language (`widelanguage.py`) has no calls but `range`, no underscores, no macros or other templates. A
part of a value is a key of a mapping or a place in a list or text, never an attribute of an object. Filters and
operators bound what they make, and loops count their turns (`budget.py`). What is left runs in
ImmutableSandboxedEnvironment. What bounds nothing are the seconds that all this may take together: a million turns,
each over a text of a million characters; a run has its `timeout:` for that.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from jinja2 import Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from idms_cli.templates.budget import Budget, Counted
from idms_cli.templates.values import Missing, Unfit, is_whole, missing, number_of, whole_of, written
from idms_cli.templates.widefilters import WideFilters
from idms_cli.templates.widelanguage import Checker

BUDGET = "its budget"
"""The name of a rendering's `Budget`; the blank keeps templates from naming it."""

LONGEST_RANGE = 100_000
MOST_ITEMS = 100_000
"""Of a list that is written in a template, with all that is in it."""

_EACH = "each of"
_WHOLE = "no larger than"
GIVEN = "what is there"
"""The filter that refuses what is not there."""

_LOOP_PARTS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"})

_NEED_LENGTH = frozenset({"revindex", "revindex0", "length"})

_FILTERS = WideFilters()
FILTERS = _FILTERS.table()

TESTS: Mapping[str, Callable[[Any], bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list | tuple),
    "mapping": lambda value: isinstance(value, Mapping),
}


def bounded_range(first: Any, end: Any = None, step: Any = 1) -> list[int]:
    """Whole numbers from 0, or `first`, up to the one before `end`."""
    start, stop = (0, first) if end is None else (first, end)
    bound = 10**9
    numbers = [whole_of(one, -bound, bound, "range") for one in (start, stop, step)]
    if not numbers[2]:
        raise Unfit("range takes no steps of 0")
    found = range(*numbers)
    if len(found) > LONGEST_RANGE:
        raise Unfit(f"range makes at most {LONGEST_RANGE:,} numbers")
    return list(found)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"range": bounded_range}

CHECKER = Checker(FILTERS, TESTS, FUNCTIONS)


class Sandbox(ImmutableSandboxedEnvironment):
    """See the module."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=_shown,
            optimized=False,  # what an expression makes is worked out when it is rendered, within its bounds
            cache_size=0,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.filters = {**FILTERS, _EACH: _each, _WHOLE: _whole, GIVEN: _given}
        self.tests = dict(TESTS)
        self.globals = dict(FUNCTIONS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A key of a mapping, a place in a list or text, a part of `loop`; undefined for anything else."""
        if isinstance(obj, Undefined):
            raise Unfit(missing(obj))
        if isinstance(obj, LoopContext):
            return self._part_of_loop(obj, argument)
        if _has_keys(obj):
            try:
                return obj[argument]
            except (KeyError, TypeError):
                return self._no_part(obj, argument)
        if isinstance(obj, str | list | tuple) and is_whole(argument):
            try:
                return obj[int(argument)]
            except IndexError:
                return self._no_part(obj, argument)
        return self._no_part(obj, argument)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - jinja2's
        if obj is not bounded_range:
            raise Unfit("nothing but range(...) can be called")
        return bounded_range(*args)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _FILTERS.joined([left, right])
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
        if operator == "/":
            return one / other
        whole = (one / other).to_integral_value(rounding="ROUND_FLOOR")
        return whole if operator == "//" else one - other * whole

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ARG002
        return -number_of(arg) if operator == "-" else number_of(arg)

    def _part_of_loop(self, loop: LoopContext, argument: Any) -> Any:
        if argument not in _LOOP_PARTS:
            return self._no_part(loop, argument)
        if argument in _NEED_LENGTH and not isinstance(loop._iterable, Counted):
            raise Unfit(f"loop.{argument} is not known of a loop with a condition")
        return getattr(loop, argument)

    def _no_part(self, obj: Any, argument: Any) -> Undefined:
        return self.undefined(obj=obj, name=argument if isinstance(argument, str) else str(argument))


class Bounding(NodeTransformer):
    """Puts the bounds into a tree that was checked: into loops, lists, ~ and numbers."""

    def __init__(self, environment: Sandbox) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802 - jinja2's
        self.generic_visit(node)
        node.iter = self._filtered(node.iter, _EACH)
        return node

    def visit_Concat(self, node: nodes.Concat) -> Any:  # noqa: N802
        self.generic_visit(node)
        return self._filtered(self._at(nodes.List(node.nodes, lineno=node.lineno)), "join")

    def visit_List(self, node: nodes.List) -> Any:  # noqa: N802
        self.generic_visit(node)
        return self._filtered(node, _WHOLE)

    def visit_Dict(self, node: nodes.Dict) -> Any:  # noqa: N802
        self.generic_visit(node)
        return self._filtered(node, _WHOLE)

    def visit_Tuple(self, node: nodes.Tuple) -> Any:  # noqa: N802
        self.generic_visit(node)
        return self._filtered(node, _WHOLE) if node.ctx == "load" else node

    def visit_Const(self, node: nodes.Const) -> Any:  # noqa: N802
        """A number with a point is a decimal, as those of rows are."""
        if not isinstance(node.value, float):
            return node
        digits = format(Decimal(repr(node.value)), "f")
        return self._filtered(self._at(nodes.Const(digits, lineno=node.lineno)), "number")

    def _filtered(self, node: Any, name: str) -> Any:
        return self._at(nodes.Filter(node, name, [], [], None, None, lineno=node.lineno))

    def _at(self, node: Any) -> Any:
        node.set_environment(self._environment)
        return node


@pass_context
def _each(context: Context, value: Any) -> Counted:
    budget: Budget = context[BUDGET]
    return budget.each(_given(value))


def _whole(value: Any) -> Any:
    """The list itself, unless what is in it is too much; so soon that the count is no work either."""
    waiting, found = [value], 0
    while waiting:
        one = waiting.pop()
        items = one if isinstance(one, list | tuple) else one.values() if isinstance(one, Mapping) else ()
        found += len(items)
        if found > MOST_ITEMS:
            raise Unfit(f"a list that is made in it has more than {MOST_ITEMS:,} items")
        waiting.extend(items)
    return value


def _given(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise Unfit(missing(value))
    return value


def _shown(value: Any) -> str:
    return written(_given(value))


def _has_keys(obj: Any) -> bool:
    """A mapping, or an object of ours that gives its parts as one does."""
    return isinstance(obj, Mapping) or (
        hasattr(type(obj), "__getitem__") and type(obj).__module__.partition(".")[0] == "idms_cli"
    )
