"""The part of Jinja2's language that a text may use: loops, conditions, values and filters; no calls into Python."""

from collections.abc import Callable, Collection, Mapping
from inspect import signature
from math import isfinite
from typing import Any, NoReturn

from jinja2 import nodes

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean

DEEPEST = 40
"""Parts within parts."""

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.With, nodes.Assign, nodes.CondExpr,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Filter, nodes.Test, nodes.Call,
    nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg,
    nodes.Pos, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
)  # fmt: skip
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Pow: "the power **",
    nodes.AssignBlock: "a block that is kept in a name",
    nodes.NSRef: "a name with a part that is set",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a call",
    nodes.FilterBlock: "a filter around a block",
    nodes.Block: "a block with a name",
    nodes.Include: "including another template",
    nodes.Import: "including another template",
    nodes.FromImport: "including another template",
    nodes.Extends: "including another template",
}
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs"})
"""What Jinja2 gives a meaning of its own."""


class NotAText(ValueError):
    """The text is no template that is allowed here; the message says why, and where in a text of several lines."""

    def __init__(self, message: str, *, hint: str = "", line: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.line = line


class Checker:
    """Refuses what is not allowed."""

    def __init__(
        self, filters: Mapping[str, Callable[..., Any]], tests: Collection[str], functions: Collection[str]
    ) -> None:
        self._filters = filters
        self._tests = tests
        self._functions = functions

    def check(self, node: nodes.Node, depth: int = 0) -> None:
        """Raises `NotAText` for the first part that is not allowed."""
        if depth > DEEPEST:
            raise NotAText(f"parts stand within one another more than {DEEPEST} deep", hint="make it simpler")
        if not isinstance(node, _ALLOWED):
            _refuse(_REFUSED.get(type(node)) or f"Jinja2's '{type(node).__name__.lower()}'", node)
        if found := _CHECKS.get(type(node)):
            found(self, node)
        for child in node.iter_child_nodes():
            self.check(child, depth + 1)

    def _const(self, node: nodes.Const) -> None:
        if isinstance(node.value, float) and not isfinite(node.value):
            raise NotAText("a number in it is beyond all bounds", line=node.lineno)

    def _name(self, node: nodes.Name) -> None:
        if node.name.startswith("_") or node.name in _RESERVED:
            _refuse(f"the name '{shortened(node.name)}'", node)

    def _attribute(self, node: nodes.Getattr) -> None:
        if node.attr.startswith("_"):
            _refuse(f"the part '{shortened(node.attr)}'", node)

    def _loop(self, node: nodes.For) -> None:
        if node.recursive:
            _refuse("a recursive loop", node)

    def _call(self, node: nodes.Call) -> None:
        if not isinstance(node.node, nodes.Name) or node.node.name not in self._functions:
            _refuse(f"a call other than {', '.join(f'{name}(...)' for name in self._functions)}", node)
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            _refuse("a named or starred argument", node)

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in self._filters:
            hint = did_you_mean(node.name, self._filters) or f"filters: {', '.join(self._filters)}"
            raise NotAText(f"there is no filter '{shortened(node.name)}' here", hint=hint, line=node.lineno)
        if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
            _refuse(f"a named or starred argument of the filter {node.name}", node)
        wanted = signature(self._filters[node.name])
        try:
            wanted.bind(node.node, *node.args)
        except TypeError:
            more = [one.name for one in list(wanted.parameters.values())[1:]]
            hint = f"write {node.name}({', '.join(more)})" if more else f"write |{node.name}"
            message = f"the filter {node.name} has too many or too few values"
            raise NotAText(message, hint=hint, line=node.lineno) from None

    def _test(self, node: nodes.Test) -> None:
        if node.name not in self._tests or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            hint = did_you_mean(node.name, self._tests) or f"tests: {', '.join(self._tests)}"
            raise NotAText(f"there is no test '{shortened(node.name)}' here", hint=hint, line=node.lineno)


_CHECKS: Mapping[type[nodes.Node], Callable[[Checker, Any], None]] = {
    nodes.Const: Checker._const,
    nodes.Name: Checker._name,
    nodes.Getattr: Checker._attribute,
    nodes.For: Checker._loop,
    nodes.Call: Checker._call,
    nodes.Filter: Checker._filter,
    nodes.Test: Checker._test,
}


def _refuse(what: str, node: nodes.Node) -> NoReturn:
    hint = "allowed are values and their parts, filters, if, for, set, with, ~ + - * / // %, comparisons and range(...)"
    raise NotAText(f"{what} is not allowed here", hint=hint, line=node.lineno)
