"""The part of Jinja2's language that a template may use: so little that its work is bounded by its length."""

from collections.abc import Iterator
from inspect import signature
from math import isfinite
from typing import NoReturn

from jinja2 import nodes

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.records.filters import FILTERS

DEEPEST = 25
"""Expressions within expressions."""

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Name, nodes.Const, nodes.List,
    nodes.Tuple, nodes.Filter, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Concat,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Getitem, nodes.Slice,
)  # fmt: skip
_REFUSED = {
    nodes.For: "a loop",
    nodes.Call: "a call such as name(...)",
    nodes.Getattr: "an attribute such as name.part",
    nodes.Assign: "an assignment",
    nodes.AssignBlock: "an assignment",
    nodes.Pow: "the power **",
    nodes.Mod: "the operator %",
    nodes.FloorDiv: "the operator //",
    nodes.Test: "a test such as `is none`",
    nodes.Include: "including another template",
    nodes.Import: "including another template",
    nodes.FromImport: "including another template",
    nodes.Extends: "including another template",
}
WORDS = f"columns, texts, numbers, if/else, ~ + - * /, comparisons, x[:3], and the filters {', '.join(FILTERS)}"
"""What there is, for hints."""


class NotATemplate(ValueError):
    """The text is no template or condition that is allowed here; the message says why."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def check(tree: nodes.Node) -> None:
    """Raises `NotATemplate` for the first part of the language that is not allowed."""
    _check(tree, 0)


def _check(node: nodes.Node, depth: int) -> None:
    if depth > DEEPEST:
        raise NotATemplate(f"expressions stand within one another more than {DEEPEST} deep", hint="make it simpler")
    if not isinstance(node, _ALLOWED):
        _refuse(_REFUSED.get(type(node)) or f"Jinja2's '{type(node).__name__.lower()}'")
    if isinstance(node, nodes.Const) and isinstance(node.value, float) and not isfinite(node.value):
        raise NotATemplate("a number in it is beyond all bounds")
    if isinstance(node, nodes.Filter):
        _check_filter(node)
    if isinstance(node, nodes.Getitem) and column_of(node) is None and not _is_place(node.arg):
        _refuse("a part that is not named by a number, such as name[0] or name[:3],")
    if isinstance(node, nodes.Compare):
        _check_comparison(node)
    if isinstance(node, nodes.Sub | nodes.Mul | nodes.Div) and any(map(_is_text, (node.left, node.right))):
        raise NotATemplate("a text is no number to calculate with", hint="~ puts texts together")
    for child in node.iter_child_nodes():
        _check(child, depth + 1)


def _check_filter(node: nodes.Filter) -> None:
    if node.name not in FILTERS:
        hint = did_you_mean(node.name, FILTERS) or f"filters: {', '.join(FILTERS)}"
        raise NotATemplate(f"there is no filter '{shortened(node.name)}' here", hint=hint)
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        _refuse(f"a named or starred argument of the filter {node.name}")
    wanted = signature(FILTERS[node.name])
    try:
        wanted.bind(node.node, *node.args)
    except TypeError:
        more = [one.name for one in list(wanted.parameters.values())[1:]]
        hint = f"write {node.name}({', '.join(more)})" if more else f"write |{node.name}"
        raise NotATemplate(f"the filter {node.name} has too many or too few values", hint=hint) from None


def _check_comparison(node: nodes.Compare) -> None:
    """Text is never equal to a number, and nobody would be told."""
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    items = [item for side in sides for item in (side.items if isinstance(side, nodes.List | nodes.Tuple) else [side])]
    if any(map(_is_number, items)) and any(isinstance(item, nodes.Name) or column_of(item) for item in items):
        hint = "write |number after the column, or put the number in quotes"
        raise NotATemplate("a column is text, and here it is compared with a number", hint=hint)


def _refuse(what: str) -> NoReturn:
    raise NotATemplate(f"{what} is not allowed here", hint=f"allowed are {WORDS}")


def column_of(node: nodes.Node) -> str | None:
    """The column in `row["Any name"]`; None for anything else."""
    if not isinstance(node, nodes.Getitem) or not isinstance(node.arg, nodes.Const):
        return None
    is_row = isinstance(node.node, nodes.Name) and node.node.name == "row"
    return node.arg.value if is_row and isinstance(node.arg.value, str) else None


def _is_place(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Slice):
        return all(_is_place(part) for part in node.iter_child_nodes())
    return _is_number(node)


def _is_text(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const | nodes.List | nodes.Tuple) and not _is_number(node)


def _is_number(node: nodes.Node) -> bool:
    number = node.node if isinstance(node, nodes.Neg) else node
    return isinstance(number, nodes.Const) and type(number.value) in (int, float)


def columns(node: nodes.Node) -> Iterator[str]:
    """The columns that an expression names, as they are spelled there."""
    column = node.name if isinstance(node, nodes.Name) else column_of(node)
    if column is not None:
        yield column
        return
    for child in node.iter_child_nodes():
        yield from columns(child)
