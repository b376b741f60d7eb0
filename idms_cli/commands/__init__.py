"""One file per command: flags in, one call, report out. To add one: a new file here and a line in `cli.COMMANDS`."""

import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import click

from idms_cli.config.settings import Settings, find_settings, read_settings
from idms_cli.history.store import Store
from idms_cli.history.ticks import SILENT_AFTER_S
from idms_cli.reports.incidents import silence
from idms_cli.reports.wording import Clock

TELL_THEMSELVES = ("run-due", "status", "exec", "work", "send", "redraw")
"""Commands that are not told that nobody calls run-due: they call it, tell it at length, or work for nobody."""


class Session:
    """What a command works with: the settings and the store, each opened when it is first wanted."""

    def __init__(self, config: str | None, *, debug: bool) -> None:
        self._config = config
        self.debug = debug

    @cached_property
    def settings(self) -> Settings:
        found = find_settings(self._config, os.environ, Path.cwd())
        return read_settings(Path(os.path.abspath(found)))  # noqa: PTH100 - absolute() keeps the dots

    @cached_property
    def store(self) -> Store:
        store = Store(self.settings.state)
        context = click.get_current_context()
        context.call_on_close(store.close)
        if context.info_name not in TELL_THEMSELVES and not context.params.get("as_json"):
            self._tell_silence(store)
        return store

    def _tell_silence(self, store: Store) -> None:
        """Whatever somebody came for: they want to know that nothing starts on its own."""
        since = store.ticks.scheduled_since()
        if since is None or self.now().timestamp() - since < SILENT_AFTER_S:
            return
        banner = silence(store, Clock(self.settings.timezone, self.now()))
        if banner:
            click.echo(banner, err=True)

    @staticmethod
    def now() -> datetime:
        """The clock, read here and nowhere below."""
        return datetime.now(UTC)


pass_session = click.make_pass_decorator(Session)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
