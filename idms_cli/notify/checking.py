"""Whether the templates of webhooks can be used: each is tried on a message of every kind, before there is one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from idms_cli.config.channels import WebhookChannel
from idms_cli.config.documents import read_document
from idms_cli.config.problems import Problem
from idms_cli.config.settings import Settings
from idms_cli.errors import InputError
from idms_cli.notify import Message
from idms_cli.notify.bodies import BUILT_IN, FIELDS, body_of, values_of
from idms_cli.templates.texts import NotAText, parse_text

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_RUN = {"run": 7, "status": "failed", "reason": 'the column "Grade" is gone', "hint": "Look at it.", "due": None}
_TROUBLE = {"trouble": "failed", "since": _AT.isoformat(), "times": 2, "counts": {"read": 2, "rejected": 1}}
_SAMPLES: dict[str, dict[str, Any]] = {
    "opened": {**_RUN, **_TROUBLE},
    "closed": {"run": 8, **_TROUBLE, "until": _AT.isoformat()},
    "reminder": {"connection": "live", "jobs": ["scores"], "given_up": {}, **_TROUBLE},
    "silent": {"since": _AT.isoformat(), "until": _AT.isoformat()},
    "digest": {"since": _AT.isoformat(), "until": _AT.isoformat()},
    "test": {},
}
_TEXT = 'scores failed: the column "Grade" is gone\n\\ and so on'
"""With what JSON cannot have as it is."""


def template_problems(settings: Settings) -> list[Problem]:
    """Of all channels, each with its place in idms.yaml; such a channel could send nothing."""
    found = []
    for name, options in settings.channels.items():
        template = options.webhook.template if isinstance(options.webhook, WebhookChannel) else None
        fault = None if template is None or template in BUILT_IN else next(_faults(template), None)
        if fault:
            place = ("channels", name, "webhook", "template")
            found.append(read_document(settings.path).problem(place, fault[0], hint=fault[1], value=""))
    return found


def _faults(template: str) -> Iterator[tuple[str, str]]:
    """What is wrong, and a hint."""
    samples = [Message("key", kind, "scores", _AT, _TEXT, _TEXT, data) for kind, data in _SAMPLES.items()]
    try:
        parse_text(template).refuse_unknown([*values_of(samples[-1]), *FIELDS])
    except NotAText as error:
        yield str(error), error.hint
        return
    for sample in samples:
        try:
            body_of(sample, template)
        except InputError as error:
            yield f"of a message of the kind {sample.kind}: {error}", error.hint
