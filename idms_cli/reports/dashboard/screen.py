"""The dashboard as a Textual app: what is drawn, and which key does what. The only door to textual."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Static

from idms_cli.config.foreign import harmless, shortened
from idms_cli.errors import IdmsError
from idms_cli.reports.dashboard.dialogs import Question, Reading
from idms_cli.reports.dashboard.snapshot import JobLine, Snapshot, Watcher
from idms_cli.reports.dashboard.timeline import LEGEND
from idms_cli.reports.standing import FINE, NEEDS_YOU, RUNNING, WAITING
from idms_cli.reports.terminal import COLOURS

EVERY_S = 2.0
SIGNS = {NEEDS_YOU: "!", RUNNING: ">", WAITING: "~", FINE: " "}
COLUMNS = ("", "job", "state", "next run", "took", "rows", "last run")
RUNNING_SHOWN = 4
NOTICES_SHOWN = 3
TOLD_SHOWN = 160


class Done(NamedTuple):
    """What became of a command."""

    code: int
    text: str
    """What it said, stdout before stderr."""


Act = Callable[[Sequence[str]], Awaitable[Done]]
"""Runs `idms` with these arguments; waits for its end, however long that takes, and ends with nobody."""


class Dashboard(App[None]):
    """Looks every two seconds; acts by the commands of idms themselves, each asked for first."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run_job", "run"),
        Binding("s", "stop_run", "stop"),
        Binding("a", "approve_run", "approve"),
        Binding("p", "pause_job", "pause/resume"),
        Binding("v,enter", "show_run", "show", priority=True),
        Binding("tab", "app.focus_next", "scroll", show=False),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]
    CSS = """
    #head, #notices, #running, #lanes, #legend { text-wrap: nowrap; text-overflow: ellipsis; }
    #head { height: 1; background: $primary; color: $text; }
    #notices { height: auto; color: $error; }
    #jobs { height: auto; min-height: 5; max-height: 60%; scrollbar-size-horizontal: 0; }
    #told { height: 2; color: $text-muted; }
    #running { height: auto; }
    #bottom { height: 1fr; min-height: 5; }
    #day { height: 1fr; border-top: solid $primary; }
    #legend { height: 1; color: $text-muted; }
    Question, Reading { align: center middle; }
    #question { width: 90%; max-width: 90; height: auto; border: thick $primary; padding: 0 1; background: $surface; }
    #reading { width: 100%; height: 1fr; background: $surface; }
    """

    def __init__(self, watcher: Watcher, act: Act, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._watcher = watcher
        self._act = act
        self._now = now
        self._seen: Snapshot | None = None
        self._shown: list[str] = []
        self._is_looking = False

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="notices")
        yield DataTable(id="jobs", cursor_type="row", zebra_stripes=False)
        yield Static(id="told")
        yield Static(id="running")
        with Vertical(id="bottom"):
            with VerticalScroll(id="day"):
                yield Static(id="lanes")
            yield Static(Text(LEGEND, no_wrap=True), id="legend")
        yield Footer()

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):  # else the terminal stays as we have made it
            loop.add_signal_handler(number, self.exit)
        self._table.add_columns(*COLUMNS)
        self._table.focus()
        self.set_interval(EVERY_S, self.look_again)
        await self.look_again()

    def on_unmount(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)

    @property
    def _table(self) -> "DataTable[Text]":
        return self.query_one("#jobs", DataTable)

    async def look_again(self) -> None:
        """Draw what is so now. Where nobody can tell, the last picture stays, and why is said above it."""
        if self._is_looking:
            return
        self._is_looking = True
        try:
            seen = await self.run_worker(
                lambda: self._watcher.look(self._now()), thread=True, exit_on_error=False
            ).wait()
        except Exception as error:
            self._draw_lines("notices", [_why(error)])
            return
        finally:
            self._is_looking = False
        self._seen = seen
        self._draw(seen)

    def on_resize(self) -> None:
        if self._seen:
            self._draw(self._seen)

    def on_data_table_row_highlighted(self) -> None:
        self._draw_told()

    def _draw(self, seen: Snapshot) -> None:
        self.query_one("#head", Static).update(Text(_head(seen, self.size.width), no_wrap=True))
        self._draw_lines("notices", seen.notices[:NOTICES_SHOWN])
        self._draw_jobs(seen.jobs)
        self._draw_told()
        self._draw_running(seen)
        lines = seen.timeline.lines(max(40, self.size.width - 3))
        self.query_one("#lanes", Static).update(Text("\n".join(lines), no_wrap=True))

    def _draw_jobs(self, jobs: Sequence[JobLine]) -> None:
        """The cursor stays on its job, wherever that stands now."""
        chosen, table = self._chosen, self._table
        names = [job.name for job in jobs]
        top = table.scroll_y
        table.clear()
        for job in jobs:
            table.add_row(*map(_cell, _cells(job)), key=job.name)
        self._shown = names
        if chosen and chosen.name in names:
            table.move_cursor(row=names.index(chosen.name), scroll=False)
            table.scroll_to(y=top, animate=False)

    def _draw_told(self) -> None:
        job = self._chosen
        self.query_one("#told", Static).update(Text(f"{job.name}: {job.told}" if job else "", overflow="ellipsis"))

    def _draw_running(self, seen: Snapshot) -> None:
        lines = [f"> run {each.run} of {each.job}: {each.told}" for each in seen.running[:RUNNING_SHOWN]]
        more = len(seen.running) - RUNNING_SHOWN
        self._draw_lines("running", [*lines, f"  and {more} more"] if more > 0 else lines)

    def _draw_lines(self, place: str, lines: Sequence[str]) -> None:
        """One line for each; none where there is nothing to say."""
        panel = self.query_one(f"#{place}", Static)
        panel.update(Text("\n".join(map(harmless, lines)), no_wrap=True, overflow="ellipsis"))
        panel.display = bool(lines)

    @property
    def _chosen(self) -> JobLine | None:
        place = self._table.cursor_row
        if self._seen is None or not 0 <= place < len(self._shown):
            return None
        return next((job for job in self._seen.jobs if job.name == self._shown[place]), None)

    def action_run_job(self) -> None:
        job = self._chosen
        if job:
            self._ask(f"Run {job.name} now?", ["run", job.name])

    def action_stop_run(self) -> None:
        job = self._chosen
        if job and job.run and job.is_open:
            self._ask(f"Stop run {job.run} of {job.name}? The record in hand is finished.", ["stop", str(job.run)])
        elif job:
            self._tell(f"no run of {job.name} is under way")

    def action_approve_run(self) -> None:
        job = self._chosen
        if job and job.asks:
            self._tell(f"run {job.run} asks which records are stored: idms show {job.run} says how to answer")
        elif job and job.state == "held" and job.run:
            self._ask(f"Let run {job.run} carry out its plan? {job.told}", ["approve", str(job.run)])
        elif job:
            self._tell(f"no run of {job.name} is held")

    def action_pause_job(self) -> None:
        job = self._chosen
        if job and job.is_paused:
            self._ask(f"End the pause of {job.name}?", ["resume", job.name])
        elif job:
            self._ask(
                f"Pause {job.name} until somebody resumes it?", ["pause", job.name], asks_for="why (may be empty)"
            )

    def action_show_run(self) -> None:
        job = self._chosen
        if job:
            words = ["show", str(job.run)] if job.run else ["why", job.name]
            self.run_worker(self._show(words), exit_on_error=False)

    async def _show(self, words: Sequence[str]) -> None:
        done = await self._act(words)
        await self.push_screen(Reading(f"idms {' '.join(words)}", done.text))

    def _ask(self, question: str, words: list[str], *, asks_for: str = "") -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                more = ["--why", answer] if answer else []
                self.run_worker(self._do([*words, *more]), exit_on_error=False)

        self.push_screen(Question(question, f"idms {' '.join(words)}", asks_for=asks_for), answered)

    async def _do(self, words: Sequence[str]) -> None:
        self._tell(f"idms {' '.join(words)} ...")
        done = await self._act(words)
        first = next((line for line in done.text.splitlines() if line.strip()), "done")
        self._tell(first, is_wrong=done.code not in (0, 6))
        await self.look_again()

    def _tell(self, text: str, *, is_wrong: bool = False) -> None:
        self.notify(shortened(text, TOLD_SHOWN), severity="warning" if is_wrong else "information", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While it asks or shows something, the keys belong to that."""
        own = action in ("run_job", "stop_run", "approve_run", "pause_job", "show_run")
        return not (own and len(self.screen_stack) > 1) and super().check_action(action, parameters)

    def _print_error_renderables(self) -> None:
        """Not with a traceback: the command line says what was wrong, and writes its crash file (textual < 9)."""
        self._exit_renderables.clear()


def show_dashboard(watcher: Watcher, act: Act) -> None:
    """Draw it until the person who looks leaves. Raises what made it end."""
    app = Dashboard(watcher, act)
    app.run()
    if app._exception:
        raise app._exception


def _cells(job: JobLine) -> tuple[str, ...]:
    return SIGNS[job.group], job.name, job.state, job.next, job.durations, job.rows, shortened(job.told, TOLD_SHOWN)


def _cell(text: str) -> Text:
    return Text(text, COLOURS.get(text, ""), no_wrap=True)


def _head(seen: Snapshot, width: int) -> str:
    """What is so on the left, the time on the right, as much of it as there is room for."""
    local = seen.clock.now.astimezone(seen.clock.zone)
    left = f" idms   {seen.summary or 'no jobs yet'}  "
    whens = (f"{local:%a %d %b %H:%M:%S} {seen.clock.zone}", f"{local:%a %d %b %H:%M:%S}", f"{local:%H:%M:%S}")
    when = next((when for when in whens if len(left) + len(when) < width), "")
    return f"{left}{when:>{max(0, width - len(left) - 1)}}"


def _why(error: BaseException) -> str:
    inner = error.__cause__ or error
    hint = f" {inner.hint}" if isinstance(inner, IdmsError) and inner.hint else ""
    return harmless(f"This is an old picture: {inner}{hint}")
