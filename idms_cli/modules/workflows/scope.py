"""What a step may name when it is checked: the steps before it, parameters, the run; and where mistakes are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from idms_cli.config.foreign import shortened
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.modules.part import Part
from idms_cli.modules.workflows.shapes import Condition, Key, Shape, read_shape
from idms_cli.templates.moments import OCCASION
from idms_cli.templates.texts import NotAText, Text, Value, parse_value

if TYPE_CHECKING:
    from idms_cli.modules.steps import Step

ALWAYS = (*OCCASION, "input", "steps")
"""What every template of a workflow may name."""

HINT_ROWS = "A query, select, filter, delta, or a run with `rows:` makes rows."


@dataclass(frozen=True)
class RowsOf:
    """Where a step's rows come from: an earlier step by name, or an expression."""

    step: str = ""
    shape: Shape | None = None


@dataclass(frozen=True)
class Scope:
    """See the module. Mistakes are told by the `part` that is given: nothing here raises."""

    job: str
    connection: str
    settings: Settings = field(repr=False)
    inputs: frozenset[str] = frozenset()
    """The names of the workflow's parameters."""
    earlier: Mapping[str, bool] = field(default_factory=dict)
    """The names of the steps before this one, and whether they make rows; the last one is the nearest."""
    ahead: Mapping[str, None] = field(default_factory=dict)
    """The names of the steps after it in its list."""
    more: tuple[str, ...] = ()
    """Further names: `item` within a for-each."""
    check_steps: Callable[[Part, "Scope"], "Sequence[Step]"] = field(repr=False, default=lambda _part, _scope: ())
    """Checks a list of steps that stand within a step, at `part`."""
    is_elsewhere: bool = False
    """`connection` is another one than the job's own: the jobs that it runs go there as well."""
    chain: tuple[str, ...] = ()
    """The jobs that run one another up to this one."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that a template may name."""
        return (*ALWAYS, *self.more, *self.earlier)

    def within(self, *more: str) -> "Scope":
        """The scope of steps inside this one, whose templates see `more` names as well."""
        return replace(self, more=(*self.more, *more))

    def shape(self, part: Part, key: Key, *, more: Sequence[str] = ()) -> Shape | None:
        """The value at `key` of a step with its templates; None when something is wrong with them, which is told."""
        data = part.document.at((*part.at, *key))
        try:
            shape = read_shape(data, key)
        except NotAText:
            self._tell_each(part, key, data)
            return None
        found = [self._fits(part, at, template, more) for at, template in shape.templates]
        return shape if all(found) else None

    def condition(self, part: Part, key: Key, *, more: Sequence[str] = ()) -> Condition | None:
        """The template at `key`, which is to be one whole `{{ expression }}`."""
        said = part.document.at((*part.at, *key))
        hint = 'Write one expression: "{{ rows|length > 0 }}".'
        if not isinstance(said, str):
            part.tell(key, "a condition is wanted here", hint)
            return None
        try:
            template = parse_value(said)
        except NotAText as wrong:
            part.tell(key, str(wrong), wrong.hint)
            return None
        if not isinstance(template, Value):
            part.tell(key, "a condition is one whole {{ expression }}, with nothing around it", hint)
            return None
        return Condition(key, template) if self._fits(part, key, template, more) else None

    def rows(self, part: Part, key: Key) -> RowsOf | None:
        """Where a step's rows come from: what stands at `key`, else the nearest step before it that makes rows."""
        said = part.document.at((*part.at, *key))
        if said is None:
            nearest = [name for name, makes_rows in self.earlier.items() if makes_rows]
            if nearest:
                return RowsOf(nearest[-1])
            part.tell_key((), "there are no rows for this step: no step before it makes any", HINT_ROWS)
            return None
        if isinstance(said, str) and "{" not in said:
            return self._rows_of_step(part, key, said)
        shape = self.shape(part, key)
        return None if shape is None else RowsOf(shape=shape)

    def refuse_jump(self, part: Part, key: Key, name: str) -> None:
        """A jump to `name` goes forward, within the list of the step; tells it when it does not."""
        if name in self.ahead:
            return
        if name in self.earlier:
            part.tell(key, f"step {shortened(name)} is not after this one", "Jumps go forward only.")
            return
        hint = did_you_mean(name, self.ahead) or f"Later steps: {', '.join(self.ahead) or 'none with a name'}."
        part.tell(key, f"there is no step '{shortened(name)}' after this one", hint)

    def _rows_of_step(self, part: Part, key: Key, name: str) -> RowsOf | None:
        if self.earlier.get(name):
            return RowsOf(name)
        if name in self.earlier:
            part.tell(key, f"step {shortened(name)} makes no rows", HINT_ROWS)
        elif name in self.ahead:
            part.tell(key, f"step {shortened(name)} comes later", "Steps take what steps before them made.")
        else:
            with_rows = [one for one, makes_rows in self.earlier.items() if makes_rows]
            hint = did_you_mean(name, with_rows) or f"Steps with rows: {', '.join(with_rows) or 'none'}."
            part.tell(key, f"there is no step '{shortened(name)}' before this one", hint)
        return None

    def _tell_each(self, part: Part, key: Key, data: Any) -> None:
        """Every template that is wrong, at its own place."""
        if isinstance(data, dict | list | tuple):
            for name, one in data.items() if isinstance(data, dict) else enumerate(data):
                self._tell_each(part, (*key, name), one)
            return
        try:
            read_shape(data, key)
        except NotAText as wrong:
            part.tell(key, str(wrong), wrong.hint)

    def _fits(self, part: Part, key: Key, template: Value | Text, more: Sequence[str]) -> bool:
        known = (*self.names, *more)
        for name in template.names:
            if name in self.ahead and name not in known:
                part.tell(key, f"step {shortened(name)} comes later", "A step sees the steps before it.")
                return False
        try:
            template.refuse_unknown(known)
        except NotAText as wrong:
            part.tell(key, str(wrong), wrong.hint)
            return False
        return self._knows_parts(part, key, template)

    def _knows_parts(self, part: Part, key: Key, template: Value | Text) -> bool:
        """`steps.NAME` and `input.NAME` are names as well."""
        known = {"steps": tuple(self.earlier), "input": tuple(self.inputs)}
        for name, what in template.parts:
            if name in known and what not in known[name]:
                later = name == "steps" and what in self.ahead
                thing = "parameter" if name == "input" else "step"
                there = ", ".join(known[name]) or "none"
                hint = did_you_mean(what, known[name]) or f"There {'is' if there == 'none' else 'are'}: {there}."
                wrong = f"step {what} comes later" if later else f"there is no {thing} '{shortened(what)}'"
                part.tell(key, wrong, "A step sees the steps before it." if later else hint)
                return False
        return True
