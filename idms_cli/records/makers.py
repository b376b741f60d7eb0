"""What a rule makes of a text, settled once for all rows: case, lookup, several values, the property's own type."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

from idms_cli.config.foreign import shortened
from idms_cli.imis.properties import Property, Value
from idms_cli.records.conversions import Converter, converter
from idms_cli.records.faults import Fault
from idms_cli.records.rules import Constant, Rule
from idms_cli.records.steps import Items, Kept, Maker, Reading, cased, chain, looked_up, not_in, several
from idms_cli.records.texts import CASES

Refuse = Callable[[str, str, str], None]
"""Takes note of what is wrong with a rule: code, message, hint."""

Table = Mapping[str, Constant]

_MOST_TOLD = 5
"""Wrong values of one lookup that are told: a file may have thousands."""


class Making:
    """The makers of one rule whose property and conversion are known. `refuse` is told what does not fit."""

    def __init__(self, rule: Rule, target: Property, convert: Converter, refuse: Refuse) -> None:
        self.name = target.name
        self._rule = rule
        self._target = target
        self._convert = convert
        self._refuse = refuse
        self._told = 0

    def constant(self, code: str, value: Constant) -> Value:
        """A value from the job itself as the property has it; None for a blank one, and for one that is refused."""
        made = self._typed(value)
        if isinstance(made, Fault):
            text = str(value).lower()
            hint = f'put it in quotes: "{text}"' if made.code == "no-text" else ""
            self._refuse(code, made.message.rstrip("."), hint)
            return None
        return made

    @cached_property
    def blank(self) -> Reading:
        """What becomes of a blank text."""
        rule = self._rule
        if rule.default is not None and "blank" not in rule.model_fields_set:
            return self._default
        return None if rule.blank == "clear" else Kept.KEPT

    def maker(self, table: Table | None) -> Maker:
        """What becomes of a text; `table` is the rule's lookup."""
        rule = self._rule
        if rule.split is not None:
            return several(self._items(rule.split, table), self.blank)
        make: Maker = self._convert if table is None else self._looked_up(table)
        return make if rule.case is None else cased(CASES[rule.case], make)

    @cached_property
    def _default(self) -> Value:
        return self.constant("default", self._rule.default)

    def _typed(self, value: Constant) -> Value | Fault:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, str):
            return self._text(value)
        if self._target.type == "String" and not _is_whole(value):
            message = f"{self._target.name} is text, not {str(value).lower()}"
            return Fault("map", self._target.name, "no-text", message)
        # A number or a boolean in YAML has YAML's form, whatever the file's is.
        return converter(self._target)(str(value).lower())

    def _text(self, text: str) -> Value | Fault:
        """A text of the job: neither case nor lookup is for it."""
        if self._rule.split is None:
            return self._convert(text)
        plain = self._rule.model_copy(update={"case": None})
        made = several(Making(plain, self._target, self._convert, self._refuse)._items(self._rule.split, None), None)
        found = made(text)
        return None if isinstance(found, Kept) else found

    def _looked_up(self, table: Table) -> Maker:
        blank = self.blank
        values = {key: blank if made is None else made for key, made in self._checked(table).items()}
        miss = None if self._rule.default is None else self._default
        return looked_up(self._target.name, values, miss)

    def _checked(self, table: Table) -> dict[str, Value]:
        """Typed values by their keys, in the case of the rule; those that do not fit are told, and left out."""
        found: dict[str, Value] = {}
        for written, value in table.items():
            key, made = self._in_case(written.strip()), self._typed(value)
            if isinstance(made, Fault):
                self._tell(f"{shortened(written)}: {made.message.rstrip('.')}")
            elif found.setdefault(key, made) != made:
                self._tell(f"'{shortened(key)}' stands for two things, since case is {self._rule.case}")
        return found

    def _in_case(self, text: str) -> str:
        return text if self._rule.case is None else CASES[self._rule.case](text)

    def _tell(self, message: str) -> None:
        self._told += 1
        if self._told <= _MOST_TOLD:
            self._refuse("lookup", message, "")

    def _items(self, split: str, table: Table | None) -> Items:
        links: list[Callable[[str], str | Fault]] = [str.strip]
        if self._rule.case is not None:
            links.append(CASES[self._rule.case])
        if table is not None:
            links.append(self._item_lookup(table))
        if self._target.choices:
            links.append(_code_of(self._target))
        return Items(split, self._rule.join, chain(*links), converter(replace(self._target, choices=())))

    def _item_lookup(self, table: Table) -> Callable[[str], str | Fault]:
        texts = {key: "" if made is None else str(made) for key, made in self._checked(table).items()}
        miss = None if self._rule.default is None else str(self._rule.default)

        def find(text: str) -> str | Fault:
            if text in texts:
                return texts[text]
            return not_in(self._target.name, text, texts) if miss is None else miss

        return find


def _code_of(target: Property) -> Callable[[str], str | Fault]:
    """Refuses a text that is not among the codes of a property."""
    convert = converter(target)

    def check(text: str) -> str | Fault:
        found = convert(text)
        return found if isinstance(found, Fault) else text

    return check


def _is_whole(value: Constant) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
