"""The command line: each command's name and summary, and the one place where errors become messages and exit codes."""

import gc
import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from idms_cli import __version__
from idms_cli.errors import IdmsError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Entry(NamedTuple):
    """Where a command lives; imported on first use."""

    module: str
    summary: str
    hidden: bool = False


COMMANDS: dict[str, Entry] = {
    "check": Entry("idms_cli.commands.check", "Check idms.yaml and job files; say what each job will do, and when."),
    "init": Entry("idms_cli.commands.init", "Draft a job from a file: `idms init job`."),
    "jobs": Entry("idms_cli.commands.jobs", "List the jobs."),
    "run": Entry("idms_cli.commands.run", "Run a job now, or try it with --dry-run."),
    "run-due": Entry("idms_cli.commands.run_due", "Start what is due. For cron or a systemd timer, every minute."),
    "backfill": Entry("idms_cli.commands.backfill", "Run the slots of a stretch of time that have no success."),
    "plan": Entry("idms_cli.commands.plan", "What a run would write; --out keeps the plan for apply."),
    "test": Entry("idms_cli.commands.test", "Try a job on some rows, and write nothing; the verdict is kept."),
    "apply": Entry("idms_cli.commands.apply", "Carry out a plan that was kept, exactly."),
    "approve": Entry("idms_cli.commands.approve", "Let a held run carry out its plan."),
    "reject": Entry("idms_cli.commands.reject", "End a held run; nothing is written."),
    "pause": Entry("idms_cli.commands.pause", "Pause a job: until when, and why."),
    "resume": Entry("idms_cli.commands.resume", "End the pause of a job; or go on with an interrupted run now."),
    "retry": Entry("idms_cli.commands.retry", "Try the rejected rows of a run again."),
    "stop": Entry("idms_cli.commands.stop", "End a run cleanly, or by force."),
    "enable": Entry("idms_cli.commands.enable", "Let the slots of a disabled job run again."),
    "disable": Entry("idms_cli.commands.disable", "Let no slot of a job run; says why."),
    "undo": Entry("idms_cli.commands.undo", "Take a run back; shows its plan first."),
    "delta": Entry("idms_cli.commands.delta", "What a transfer remembers of what it delivered; drop a row, or reset."),
    "status": Entry("idms_cli.commands.status", "How each job stands."),
    "dashboard": Entry("idms_cli.commands.dashboard", "Watch all jobs on a live screen, and act by keys."),
    "why": Entry("idms_cli.commands.why", "Why a job did or did not run, and when it will."),
    "next": Entry("idms_cli.commands.next", "What will run, and when."),
    "connection": Entry("idms_cli.commands.connection", "How the connections stand; `connection try NAME` asks now."),
    "history": Entry("idms_cli.commands.history", "What ran, and what did not and why."),
    "show": Entry("idms_cli.commands.show", "One run: counts, rejects with reasons, log."),
    "log": Entry("idms_cli.commands.log", "A run's log, while it runs if wanted."),
    "rejects": Entry("idms_cli.commands.rejects", "The rejected rows of a run, each with its reasons."),
    "changes": Entry("idms_cli.commands.changes", "What a run changed; or who changed a record, when, from what."),
    "notify": Entry("idms_cli.commands.notify", "What people were told; `notify test CHANNEL` tries a channel."),
    "metrics": Entry("idms_cli.commands.metrics", "How things stand, for Prometheus' node exporter."),
    "prune": Entry("idms_cli.commands.prune", "Let go of what is older than `retention:` says, now."),
    "db": Entry("idms_cli.commands.db", "The history as a file: check, backup, vacuum, stats."),
    "report": Entry("idms_cli.commands.report", "How all jobs stand, as one web page."),
    "sandbox": Entry("idms_cli.commands.sandbox", "Serve a small iMIS site on this machine, to try jobs against."),
    "exec": Entry("idms_cli.commands.exec", "Supervise a run that was handed over.", hidden=True),
    "redraw": Entry("idms_cli.commands.redraw", "Make the report page and the metrics anew.", hidden=True),
    "send": Entry("idms_cli.commands.send", "Send the messages of a channel.", hidden=True),
    "work": Entry("idms_cli.commands.work", "Do the work of a run.", hidden=True),
}


INHERIT = ("exec", "work", "send")
"""Commands that another one starts: what that found out about the journal holds for them, wherever they write."""


class Commands(click.Group):
    """The group: a command's module is imported when the command is wanted, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for name, entry in COMMANDS.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from idms_cli.config.spelling import did_you_mean  # noqa: PLC0415 - only for a mistyped word

            near = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"no command '{args[0]}'{': ' + near if near else ''}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="idms")
@click.option("--config", metavar="FILE", help="The settings. Default: $IDMS_CONFIG, ./idms.yaml, /etc/idms/idms.yaml.")
@click.option("--debug", is_flag=True, help="Say more on stderr: with an error, where it came from.")
@click.pass_context
def group(context: click.Context, config: str | None, *, debug: bool) -> None:
    """Scheduled data jobs for iMIS: a plan before it writes, never a record twice, the truth about partial success."""
    from idms_cli.commands import Session  # noqa: PLC0415 - --help and --version need none of it

    gc.enable()  # the command is loaded: see `__main__`
    if "JOURNAL_STREAM" in os.environ and context.invoked_subcommand not in INHERIT:
        from idms_cli.config.journald import settle_environment  # noqa: PLC0415 - only where systemd may run us

        settle_environment(os.environ)
    context.obj = Session(config, debug=debug)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Nothing is ever raised, also not when Python ends."""
    code = _run(arguments)
    with suppress(OSError):  # it was told; Python would try once more, and make its own exit code of it
        sys.stdout.flush()
    return code


def _run(arguments: Sequence[str]) -> int:
    debug = "--debug" in arguments
    _prepare_streams()
    try:
        code = group.main(list(arguments), prog_name="idms", standalone_mode=False)
        sys.stdout.flush()
    except IdmsError as error:
        _say_error(error)
        _trace(debug)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return 130
    except SystemExit:  # what click makes of EPIPE; our own streams never meet it
        _say("a pipe to another program broke")
        return 1
    except sqlite3.Error as error:  # those of a run's journal name it, and are errors of ours
        _say(f"the history cannot be used: {error}", "Check the disk, and the rights of the state directory.")
        _trace(debug)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _say(f"{place}{error.strerror or error}", "Check the disk, and the rights of the file or directory.")
        _trace(debug)
        return 1
    except Exception as error:
        return _say_bug(error, arguments, debug=debug)
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Whatever the shell and the locale say: there are all three, they take every character, and they last."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # `idms run-due >&-`: else the next file to be opened is taken for it
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(null, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - it lasts
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _lasting(stream))


class _Lasting(io.FileIO):
    """A stream whose reader may leave (`idms run scores | head -1`): the command goes on, and its exit code stays."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data) or 0
        except OSError as error:  # what is left in the buffer must not be tried again when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if not isinstance(error, BrokenPipeError):
                raise
            return super().write(data) or 0


def _lasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        stream.reconfigure(errors="backslashreplace")
        return stream
    buffer = io.BufferedWriter(_Lasting(stream.fileno(), "w", closefd=False))
    at_once = stream.line_buffering or stream.write_through
    return io.TextIOWrapper(buffer, stream.encoding, errors="backslashreplace", line_buffering=at_once)


def _say_error(error: IdmsError) -> None:
    from idms_cli.config.problems import ProblemsFound  # noqa: PLC0415 - only when something went wrong
    from idms_cli.config.secrets import mask  # noqa: PLC0415

    if isinstance(error, ProblemsFound):  # each line begins with its place, as editors want it
        click.echo(mask(str(error)), err=True)
    else:
        _say(str(error), error.hint)


def _say(message: str, hint: str = "") -> None:
    from idms_cli.config.foreign import harmless  # noqa: PLC0415 - only when something went wrong
    from idms_cli.config.secrets import mask  # noqa: PLC0415

    click.echo(f"idms: {harmless(mask(message))}", err=True)
    if hint:
        click.echo(f"hint: {harmless(mask(hint))}", err=True)


def _say_bug(error: Exception, arguments: Sequence[str], *, debug: bool) -> int:
    from idms_cli.config.crash import write_crash_file  # noqa: PLC0415

    try:
        where = f"Please report it with {write_crash_file(_crash_folder(arguments), error)}"
    except OSError as failed:
        where = f"A crash file could not be written: {failed}"
    _say(f"a bug: {type(error).__name__}", where)
    _trace(debug)
    return 3


def _crash_folder(arguments: Sequence[str]) -> Path:
    """The state directory; `.idms` here, when the settings cannot tell where that is."""
    from idms_cli.commands import Session  # noqa: PLC0415

    try:
        given = group.make_context("idms", list(arguments), resilient_parsing=True)
        return Session(given.params["config"], debug=False).settings.state
    except Exception:  # the bug may be in there: that must not keep its report from being written
        return Path.cwd() / ".idms"


def _trace(debug: bool) -> None:
    if debug:
        import traceback  # noqa: PLC0415

        from idms_cli.config.secrets import mask  # noqa: PLC0415

        click.echo(mask(traceback.format_exc()), err=True)
