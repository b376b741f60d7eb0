"""`idms dashboard`: a live screen of all jobs, with keys that do what the commands do."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from idms_cli.commands import Session, pass_session
from idms_cli.config.settings import Settings
from idms_cli.dispatch.launch import program
from idms_cli.errors import InputError
from idms_cli.reports.watching import require_terminal

if TYPE_CHECKING:
    from idms_cli.reports.dashboard.screen import Done

LOOK_EVERY_S = 0.1


@click.command()
@pass_session
def command(session: Session) -> None:
    """Watch all jobs: problems first, what runs and how fast, today and the coming day. Keys run, stop, approve, pause.

    Whatever acts is asked for first, and is the command of that name. A run goes on when the dashboard is left.
    """
    require_terminal("the dashboard")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise InputError("the dashboard needs a terminal that can draw: TERM is dumb", hint="Use `idms status`.")
    try:
        from idms_cli.reports.dashboard.screen import show_dashboard  # noqa: PLC0415 - a third of a second, and an extra
    except ImportError:
        hint = "pip install 'idms-cli[dashboard]'; until then `idms status --watch` needs nothing more."
        raise InputError("the dashboard needs a library that is not here", hint=hint) from None
    from idms_cli.reports.dashboard.snapshot import Watcher  # noqa: PLC0415

    show_dashboard(Watcher(session.settings), Commands(session.settings))


class Commands:
    """Runs idms itself with the same settings, in a session of its own: it ends when it has done its work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __call__(self, words: Sequence[str]) -> "Done":
        from idms_cli.reports.dashboard.screen import Done  # noqa: PLC0415

        with tempfile.TemporaryFile() as said:  # no pipe: it would break when the dashboard is left
            process = subprocess.Popen(
                [*program(self._settings), *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            while process.poll() is None:
                await asyncio.sleep(LOOK_EVERY_S)
            said.seek(0)
            return Done(process.returncode, said.read().decode(errors="replace"))
