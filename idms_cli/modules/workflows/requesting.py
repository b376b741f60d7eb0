"""One request of a step, made once: noted before it leaves, judged when it comes back, repeated where that is safe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from idms_cli.config.foreign import shortened
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery.calls.exchange import Exchange
from idms_cli.delivery.calls.judging import Judge, Judgement
from idms_cli.delivery.calls.login import open_login
from idms_cli.delivery.calls.options import WebAuth
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, OutcomeUnknown, Unreachable
from idms_cli.modules.steps import StepContext, StepResult
from idms_cli.modules.workflows.content import read_json, written_to
from idms_cli.modules.workflows.onceonly import Once
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.shapes import Shape, named
from idms_cli.templates.values import Unfit, written
from idms_cli.web.sending import Answer, Call, Sender

BODY = "body"
"""The file in the step's folder that holds a long body."""

HINT_UNKNOWN = (
    "Ask those whose server it is whether it has come. If not, `idms retry` of the run sends it; by itself that needs "
    "`idempotency_key:`, if the server heeds it, or `repeatable: true`."
)
_KEPT_BACK = frozenset({"set-cookie", "set-cookie2"})
"""Headers that are as good as a password."""


@dataclass(frozen=True)
class Wanted:
    """How requests of a step are sent and judged."""

    server: str
    auth: WebAuth | None
    expect: tuple[range, ...]
    repeatable: bool
    with_key: bool
    silence_s: float
    ca_file: Path | None
    reveal: Callable[[SecretSource], str] = field(repr=False)


@dataclass(frozen=True)
class Answering:
    """What is kept of an answer."""

    form: Literal["auto", "json", "text", "none"]
    most: int
    """Bytes of a body."""

    def output(self, answer: Answer, what: str) -> dict[str, Any]:
        """Raises `IdmsError` for a body that is not as it has to be."""
        headers = {name.lower(): text for name, text in answer.headers.items() if name.lower() not in _KEPT_BACK}
        told: dict[str, Any] = {"status": answer.status, "headers": headers, "json": None, "text": None}
        if self.form == "none":
            return told
        if not answer.whole:
            hint = "Allow more with `max_answer:`, or keep nothing of it: `answer: none`."
            longer = len(answer.body) >= self.most
            why = f"is longer than {self.most:,} bytes" if longer else "was cut off"
            raise IdmsError(
                f"{what}: it was done ({answer.status}), but the answer {why}.", hint=hint if longer else ""
            )
        if self.form != "text" and answer.body.strip():
            try:
                return {**told, "json": read_json(answer.body)}
            except ValueError:
                if self.form == "json":
                    message = f"{what}: it was done ({answer.status}), but the answer is no JSON."
                    raise IdmsError(message, hint="Is the address right? Else say `answer: text`.") from None
        return {**told, "text": answer.body.decode("utf-8", "replace")}

    def _no_use(self, answer: Answer, what: str) -> IdmsError:
        if len(answer.body) < self.most:
            return IdmsError(f"{what}: it was done ({answer.status}), but the answer was cut off.")
        hint = "Allow more with `max_answer:`, or keep nothing of it: `answer: none`."
        longer = f"the answer is longer than {self.most:,} bytes"
        return IdmsError(f"{what}: it was done ({answer.status}), but {longer}.", hint=hint)


class Requesting:
    """See the module."""

    def __init__(self, wanted: Wanted, answering: Answering, context: StepContext) -> None:
        self._wanted = wanted
        self._answering = answering
        self._context = context

    def run(self, made: Callable[[str], Call]) -> StepResult:
        """The answer to the request that `made` makes, given a key of its own for it.

        Raises `Unreachable`, `LoginRefused`, `DeliveryRefused`, `OutcomeUnknown`, `InputError` and `Interrupted`.
        """
        once = Once.of(self._context.folder)
        if once.state == "done" and once.given is None:
            raise IdmsError(once.reason, hint="What was done is not done again. Run the job anew, or go on without it.")
        if once.state == "done":
            return _result(once.given)
        call = made(once.key)
        what = f"{call.method} {shortened(call.shown, 200)}"
        repeatable = self._wanted.repeatable
        came_again = once.may_have_been_done(what, repeatable=repeatable, hint=HINT_UNKNOWN)
        wanted, silence_s = self._wanted, max(0.1, self._context.deadline.left_s(self._wanted.silence_s))
        login = open_login(wanted.auth, wanted.reveal, ca_file=wanted.ca_file, silence_s=silence_s)
        judge = Judge(wanted.expect, repeatable=repeatable, with_key=wanted.with_key, address_key="url")
        most = self._answering.most
        with Sender(wanted.server, ca_file=wanted.ca_file, silence_s=silence_s, most_answer=most) as sender:
            answer = self._answer(Exchange(sender, login, judge, ()), call, once, came_again=came_again)
        try:
            output = self._answering.output(answer, what)
        except IdmsError as error:
            if repeatable:
                once.came_back()
            else:
                once.done_in_vain(str(error))
            raise
        once.done(output)
        if isinstance(call.body, Path):
            call.body.unlink(missing_ok=True)
        return _result(output)

    def _answer(self, exchange: Exchange, call: Call, once: Once, *, came_again: bool) -> Answer:
        tries = 0
        while True:
            pause(self._context, 0)
            tries += 1
            once.leaves()
            judgement, answer = exchange.ask(call, tries=tries, came_again=came_again)
            if judgement.state == "done" and answer is not None:
                return answer
            if judgement.state == "unknown":
                once.lost(judgement.reason)
                came_again = True
            else:
                once.came_back()
            if judgement.again_in_s is None:
                raise self._failure(call, judgement)
            self._context.run.log(f"{judgement.reason}; sent again in {judgement.again_in_s:.1f} s")
            pause(self._context, judgement.again_in_s)

    def _failure(self, call: Call, judgement: Judgement) -> IdmsError:
        what = f"{call.method} {shortened(call.shown, 200)}"
        if judgement.ends is not None:
            return judgement.ends
        if judgement.state == "refused":
            hint = "Look at the address and what is sent. A status that is no failure here: `expect: [2xx, 404]`."
            return DeliveryRefused(f"{what}: refused: {judgement.reason}.", hint=hint)
        if self._wanted.repeatable:
            return Unreachable(f"{what}: {judgement.reason}.", hint="It is sent once more with `retry:` of the step.")
        return OutcomeUnknown(f"{what}: {judgement.reason}.", hint=HINT_UNKNOWN)


def made_headers(shape: Shape, values: Mapping[str, Any]) -> dict[str, str]:
    """The headers for these values. Raises `InputError`, and `NotKnown` in a dry run."""
    found = {}
    for name, value in shape.render(values).items():
        key = (*shape.key, name)
        text = _written(value, key).strip(" ")
        if not text.isascii() or not text.isprintable():
            raise InputError(f"{named(key)} would have a line end or a character that is not ASCII in it")
        found[name] = text
    return found


def made_body(shapes: Mapping[str, Shape], values: Mapping[str, Any], folder: Path) -> tuple[bytes | Path | None, str]:
    """The body and its media type; nothing where the step says none. Raises `InputError`, and `NotKnown`."""
    if "json" in shapes:
        return written_to(folder / BODY, shapes["json"].render(values)), "application/json"
    if "form" in shapes:
        form = shapes["form"]
        fields: list[tuple[str, str]] = []
        for name, value in form.render(values).items():
            several = value if isinstance(value, list | tuple) else [value]
            fields += [(name, _written(one, (*form.key, name))) for one in several]
        return urlencode(fields, errors="replace").encode("ascii"), "application/x-www-form-urlencoded"
    if "body" in shapes:
        return shapes["body"].text(values).encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return None, ""


def _written(value: Any, key: tuple[str | int, ...]) -> str:
    try:
        return written(value)
    except Unfit as unfit:
        raise InputError(f"{named(key)}: {unfit}") from unfit


def _result(output: Mapping[str, Any]) -> StepResult:
    return StepResult(output=dict(output), reason=f"{output['status']}")
