"""`notify`: a message by the channels of idms.yaml; once, also after a crash."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, model_validator

from idms_cli.config.channels import PER_RUN, told, unknown_channels
from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, Name
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.modules import Note
from idms_cli.modules.part import Part
from idms_cli.modules.steps import REHEARSED, Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.onceonly import Once
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Key, Shape

LONGEST_SUBJECT = 200
LONGEST_TEXT = 20_000
"""Characters of a message."""


class NotifyOptions(Section):
    """One message."""

    text: str = Field(min_length=1, description="What it says.")
    subject: str | None = Field(default=None, min_length=1, description="Its title; else the first line of its text.")
    channels: ListOf[Name] = Field(default=(), description="By which it goes; else those of the job's `notify:`.")

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        """The text alone goes to those whom the job tells."""
        return {"text": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _need_a_text(self) -> "NotifyOptions":
        if not self.text.strip():
            raise BadValue("the message says nothing", hint="write what it is to say")
        return self


class Options(StepOptions):
    """The step."""

    notify: NotifyOptions = Field(description="The text, or the message with its subject and channels.")


def check(options: Options, part: Part, scope: Scope) -> "_Notify | None":
    """As `Kind.check`."""
    is_short = not isinstance(part.document.at((*part.at, "notify")), dict)
    wanted: dict[str, Key] = {"text": ("notify",) if is_short else ("notify", "text")}
    if options.notify.subject is not None:
        wanted["subject"] = ("notify", "subject")
    shapes = {word: scope.shape(part, key) for word, key in wanted.items()}
    channels = _channels(options.notify, part, scope)
    right = {word: shape for word, shape in shapes.items() if shape is not None}
    return _Notify(channels, right) if channels and len(right) == len(shapes) else None


def _channels(options: NotifyOptions, part: Part, scope: Scope) -> tuple[str, ...]:
    """None when something is wrong with them, which is told."""
    known = scope.settings.channels
    at = (*part.at, "notify", "channels")
    unknown = unknown_channels(part.document, at, known, file=scope.settings.path.name)
    part.problems.extend(unknown)
    names = options.channels or tuple(
        name for name in _of_job(part, scope) if name in known and known[name].kind not in PER_RUN
    )
    for place, name in enumerate(options.channels):
        if name in known and known[name].kind in PER_RUN:
            hint = "Name a mail, webhook, program or apprise channel."
            part.tell(("notify", "channels", place), f"{name} only hears how runs begin and end", hint)
            return ()
    if not names:
        part.tell_key(("notify",), "nobody is named who is told", "Say `channels: [NAME]`, or `notify:` of the job.")
    return () if unknown else names


def _of_job(part: Part, scope: Scope) -> Sequence[str]:
    """Whom the job tells of its troubles."""
    given = part.document.at(("notify",))
    if isinstance(given, Mapping):
        given = given.get("channels")
    if isinstance(given, list):
        return [name for name in given if isinstance(name, str)]
    return told(scope.settings.defaults.notify).channels


class _Notify(Inward):
    """See `Action`."""

    def __init__(self, channels: tuple[str, ...], shapes: Mapping[str, Shape]) -> None:
        self._channels = channels
        self._shapes = shapes

    def describe(self) -> str:
        return f"a message by {', '.join(self._channels)}"

    def run(self, context: StepContext) -> StepResult:
        once = Once.of(context.folder)
        if once.state != "done":
            pause(context, 0)
            subject, text = self._words(context)
            again = once.state in ("sent", "again")
            once.leaves()
            context.run.messages.tell(Note(once.key, self._channels, subject, text), again=again)
            once.done({"subject": subject, "text": text, "channels": list(self._channels)})
        return StepResult(once.given, reason=f"{once.given['subject']}")

    def rehearse(self, context: StepContext) -> StepResult:
        subject, text = self._words(context)
        output = {"subject": subject, "text": text, "channels": list(self._channels)}
        return StepResult(output, status=REHEARSED, reason=f"would tell {', '.join(self._channels)}: {subject}")

    def _words(self, context: StepContext) -> tuple[str, str]:
        """Subject and text. Raises `InputError` for none."""
        text = self._shapes["text"].text(context.values).strip()
        subject = self._shapes["subject"].text(context.values).strip() if "subject" in self._shapes else ""
        text, subject = text or subject, subject or text
        if not text:
            raise InputError("the message would say nothing", hint="Write a text beside what may be blank.")
        if len(text) > LONGEST_TEXT:
            text = f"{text[:LONGEST_TEXT].rstrip()}\n..."
        return shortened(subject.splitlines()[0], LONGEST_SUBJECT), text
