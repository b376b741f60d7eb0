"""What the dashboard asks before it acts, and the screen on which it shows a run."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from idms_cli.config.foreign import harmless


class Question(ModalScreen[str | None]):
    """Asks before something is done. Gives what was typed (empty where nothing is asked for), or None for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "yes"),
        Binding("n,escape,q", "no", "no"),
    ]

    def __init__(self, question: str, command: str, *, asks_for: str = "") -> None:
        super().__init__()
        self._question = harmless(question)
        self._command = harmless(command)
        self._asks_for = asks_for

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(Text(self._question))
            yield Static(Text(self._command, "dim"))
            if self._asks_for:
                yield Input(placeholder=self._asks_for, id="answer")
                yield Static(Text("Enter: yes    Escape: no", "bold"))
            else:
                yield Static(Text("y: yes    n or Escape: no", "bold"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_yes(self) -> None:
        self.dismiss("")

    def action_no(self) -> None:
        self.dismiss(None)


class Reading(ModalScreen[None]):
    """A text to be read: what `idms show` says of a run."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,v", "leave", "back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = harmless(title)
        self._lines = [harmless(line) for line in text.splitlines()]

    def compose(self) -> ComposeResult:
        with Vertical(id="reading"):
            yield Static(Text(self._title, "bold"))
            with VerticalScroll():
                yield Static(Text("\n".join(self._lines)))
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_leave(self) -> None:
        self.dismiss(None)
