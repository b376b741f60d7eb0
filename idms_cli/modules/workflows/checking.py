"""A list of steps is checked: each by its own kind, in the order in which they stand, and all together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.modules.part import Part
from idms_cli.modules.steps import STEPS, Goto, MakesRows, Step, StepOptions, load_step
from idms_cli.modules.workflows.scope import Scope

MOST_STEPS = 5_000
_KINDS = f"What a step does is one of {', '.join(STEPS)}."


def check_list(part: Part, scope: Scope) -> list[Step]:
    """The steps of the list at `part` that are right; everything that is wrong is told there."""
    given = part.document.at(part.at)
    if not isinstance(given, list) or not given:
        part.tell_key((), "a list of steps is wanted here", "Begin each with `- `.")
        return []
    if len(given) > MOST_STEPS:
        part.tell_key((), f"there are {len(given):,} steps; {MOST_STEPS:,} are allowed")
        return []
    return _Checker(part, given, scope).steps()


class _Checker:
    def __init__(self, part: Part, given: Sequence[Any], scope: Scope) -> None:
        self._part = part
        self._given = given
        self._scope = scope
        self._names = [_name_in(one) for one in given]
        self._earlier: dict[str, bool] = dict(scope.earlier)
        self._later = dict.fromkeys(name for name in self._names if name)

    def steps(self) -> list[Step]:
        found: list[Step] = []
        for index, one in enumerate(self._given):
            name = self._names[index]
            self._later.pop(name, None)
            step = self._step(self._part.below(index), one, index + 1)
            if name:
                # A step that is wrong is told once; what uses it is not told as well.
                self._earlier[name] = step is None or _makes_rows(step)
            if step is not None:
                found.append(step)
        return found

    def _step(self, part: Part, given: Any, number: int) -> Step | None:
        if not isinstance(given, dict):
            part.tell_key((), "a step is a mapping", _KINDS)
            return None
        before = len(part.problems)
        kind = _kind(part, given)
        options = part.check(load_step(kind).Options) if kind else None
        name = self._names[number - 1]
        if name and name in self._earlier:
            part.tell(("name",), f"another step is called '{shortened(name)}' already", "Rename one.")
        if kind is None or options is None:
            return None
        scope = replace(self._scope, earlier=self._earlier, ahead=self._later)
        when = scope.condition(part, ("when",)) if options.when is not None else None
        if isinstance(options.on_error, Goto):
            scope.refuse_jump(part, ("on_error", "goto"), options.on_error.goto)
        action = load_step(kind).check(options, part, scope)
        if action is None or len(part.problems) != before:
            return None
        return Step(number, kind, options, action, when)


def _kind(part: Part, given: Mapping[str, Any]) -> str | None:
    """The word that says what the step does; None when there is none or several."""
    words = [word for word in given if word in STEPS]
    for word in list(words):
        words = [one for one in words if one == word or one not in STEPS[word].beside]
    if len(words) == 1:
        return words[0]
    if words:
        part.tell_key((words[1],), f"a step does one thing, and this is {' and '.join(words)}", "Make it two steps.")
        return None
    common = StepOptions.model_fields
    near = next((hint for word in given if word not in common and (hint := did_you_mean(word, STEPS))), "")
    part.tell_key((), "nothing here says what the step does", near or _KINDS)
    return None


def _name_in(given: Any) -> str:
    name = given.get("name") if isinstance(given, dict) else None
    return name if isinstance(name, str) else ""


def _makes_rows(step: Step) -> bool:
    return isinstance(step.action, MakesRows) and step.action.makes_rows
