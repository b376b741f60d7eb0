"""`exec`: a program of the site's own, as a list of arguments, with JSON on its standard input."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictInt, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, RelativePath, Size
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.modules.part import Part
from idms_cli.modules.steps import REHEARSED, Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.content import json_pieces, read_json
from idms_cli.modules.workflows.onceonly import Once
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.programs import Ended, Program, TooMuch, is_there, run_program
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Key, Shape, named
from idms_cli.templates.moments import OCCASION
from idms_cli.templates.values import Unfit, written

STDIN = "stdin.json"
PASSES = 75
"""The exit code of a program that failed for what can pass: EX_TEMPFAIL of sysexits.h."""
LARGEST_OUTPUT = 8_000_000
MOST_LINES = 50
"""Of its stderr in the log."""
HINT_UNKNOWN = (
    "Look whether it has done its work. If not, `idms retry` of the run runs it; `repeatable: true` says that it may "
    "run twice."
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _environment_name(text: str) -> str:
    if not _NAME.fullmatch(text) or text.startswith("IDMS_"):
        raise BadValue("this cannot be the name of a variable here", hint="use capital letters, digits and _")
    return text


class ExecOptions(Section):
    """One program."""

    command: ListOf[str] = Field(min_length=1, description="The program and its arguments; there is no shell.")
    input: Any = Field(default=None, description="What it reads on stdin, as JSON; else the run and its parameters.")
    environment: dict[Annotated[str, AfterValidator(_environment_name)], str | SecretSource] = Field(
        default_factory=dict, description="Variables beside PATH, HOME and the like: texts, or where a secret is kept."
    )
    directory: RelativePath | None = Field(default=None, description="Where it starts; the one of idms.yaml, if unset.")
    expect: ListOf[StrictInt] = Field(default=(0,), min_length=1, description="Exit codes that are no failure.")
    max_output: Size = Field(default=1_000_000, gt=0, le=LARGEST_OUTPUT, description="Bytes of its stdout.")
    repeatable: bool = Field(default=False, description="Whether it may run twice without harm.")

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        """The list alone is the program."""
        return {"command": data} if isinstance(data, list | tuple) else data

    @model_validator(mode="after")
    def _need_a_fixed_program(self) -> "ExecOptions":
        if not self.command[0] or "{" in self.command[0]:
            raise BadValue("which program is run cannot depend on data", hint="write its path, from /")
        return self


class Options(StepOptions):
    """The step."""

    exec: ExecOptions = Field(description="The program and its arguments, or all keys.")


def check(options: Options, part: Part, scope: Scope) -> "_Exec | None":
    """As `Kind.check`."""
    given = options.exec
    is_short = not isinstance(part.document.at((*part.at, "exec")), dict)
    wanted: dict[str, Key] = {"command": ("exec",) if is_short else ("exec", "command")}
    if part.document.has((*part.at, "exec", "input")) and not is_short:
        wanted["input"] = ("exec", "input")
    texts = [name for name, value in given.environment.items() if isinstance(value, str)]
    wanted |= {f"${name}": ("exec", "environment", name) for name in texts}
    shapes = {word: scope.shape(part, key) for word, key in wanted.items()}
    right = {word: shape for word, shape in shapes.items() if shape is not None}
    return _Exec(given, right, scope) if len(right) == len(shapes) else None


class _Exec(Inward):
    """See `Action`."""

    def __init__(self, options: ExecOptions, shapes: Mapping[str, Shape], scope: Scope) -> None:
        self._options = options
        self._shapes = shapes
        self._base = scope.settings.directory
        self._directory = self._base / options.directory if options.directory else self._base

    def describe(self) -> str:
        return f"the program {shortened(self._options.command[0])}"

    def run(self, context: StepContext) -> StepResult:
        once = Once.of(context.folder)
        if once.state == "done":
            return _result(once.given)
        what = self.describe()
        once.may_have_been_done(what, repeatable=self._options.repeatable, hint=HINT_UNKNOWN)
        pause(context, 0)
        program = self._program(context)
        once.leaves()
        try:
            ended = run_program(program, stopping=context.run.stopping)
        except InputError:
            once.came_back()
            raise
        except Interrupted:
            once.lost("it was ended before its time, and how far it came is not known")
            raise
        except TooMuch as error:
            once.lost("it wrote too much and was ended, and how far it came is not known")
            hint = "Allow more with `max_output:`, or let it write a file."
            raise OutcomeUnknown(f"{error}, and was ended: how far it came is not known.", hint=hint) from error
        finally:
            program.stdin.unlink(missing_ok=True)
        self._log(ended, context)
        output = self._output(ended, once)
        once.done(output)
        return _result(output)

    def rehearse(self, context: StepContext) -> StepResult:
        arguments = self._arguments(context)
        if "input" in self._shapes:
            self._shapes["input"].render(context.values)
        if not is_there(arguments[0], self._directory):
            raise InputError(
                f"there is no program {shortened(arguments[0])} here", hint="Write its whole path, from /."
            )
        many = f"{len(arguments) - 1:,} argument{'' if len(arguments) == 2 else 's'}"
        told = f"would run {shortened(arguments[0])} with {many}"
        return StepResult(status=REHEARSED, reason=told, unknown=True)

    def _program(self, context: StepContext) -> Program:
        """Its input is on disk. Raises `InputError`."""
        stdin = context.folder / STDIN
        if "input" in self._shapes:
            given = self._shapes["input"].render(context.values)
        else:
            given = {name: context.values[name] for name in (*OCCASION, "input") if name in context.values}
        with stdin.open("wb") as file:
            stdin.chmod(0o600)
            for piece in json_pieces(given):
                file.write(piece)
        return Program(
            self._arguments(context), self._directory, stdin, self._environment(context), self._options.max_output
        )

    def _arguments(self, context: StepContext) -> list[str]:
        shape = self._shapes["command"]
        found = []
        for place, value in enumerate(shape.render(context.values)):
            text = _text(value, (*shape.key, place))
            if "\0" in text:
                raise InputError(f"{named((*shape.key, place))}: an argument cannot have a zero byte in it")
            found.append(text)
        return found

    def _environment(self, context: StepContext) -> dict[str, str]:
        found = {"IDMS_JOB": context.run.job, "IDMS_RUN": str(context.run.run_id), "IDMS_STEP": context.path}
        for name, value in self._options.environment.items():
            if isinstance(value, str):
                found[name] = self._shapes[f"${name}"].text(context.values)
            else:
                found[name] = resolve(value, self._base).reveal()
        return found

    def _log(self, ended: Ended, context: StepContext) -> None:
        for line in ended.stderr.decode("utf-8", "replace").splitlines()[-MOST_LINES:]:
            if line.strip():
                context.run.log(f"stderr: {shortened(line, 500)}")

    def _output(self, ended: Ended, once: Once) -> dict[str, Any]:
        """Raises for an exit code that means no."""
        told: dict[str, Any] = {"exit_code": ended.exit_code, "json": None, "text": None}
        if ended.exit_code not in self._options.expect:
            raise self._failure(ended, once)
        try:
            return {**told, "json": read_json(ended.stdout)}
        except ValueError:
            return {**told, "text": ended.stdout.decode("utf-8", "replace")}

    def _failure(self, ended: Ended, once: Once) -> IdmsError:
        """A program that says how it ended is believed: what it then does when it runs again is its own affair."""
        once.came_back()
        words = shortened(" ".join(ended.stderr.decode("utf-8", "replace").split())[-200:], 200)
        how = f"exit code {ended.exit_code}" if ended.exit_code >= 0 else f"signal {-ended.exit_code}"
        message = f"{self.describe()} ended with {how}{f': {words}' if words else ''}"
        if ended.exit_code == PASSES:
            return Unreachable(message, hint="75 says that it can pass: `retry:` of the step runs it again.")
        return DeliveryRefused(
            message, hint="Run it by hand, as the account of idms. Other good codes: `expect: [0, 3]`."
        )


def _result(output: Mapping[str, Any]) -> StepResult:
    return StepResult(output=dict(output), reason=f"exit code {output['exit_code']}")


def _text(value: Any, key: Key) -> str:
    try:
        return written(value)
    except Unfit as unfit:
        raise InputError(f"{named(key)}: {unfit}") from unfit
