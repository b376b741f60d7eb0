"""A message as JSON: our own form, Slack's, Teams', or one of a template."""

import json
from typing import Any

from idms_cli.errors import InputError
from idms_cli.notify import Message
from idms_cli.templates.texts import NotAText, Unrendered, parse_text

LONGEST = 100_000
FIELDS = (
    *("run", "status", "reason", "hint", "counts", "trouble", "since", "until", "due", "times", "disabled"),
    *("connection", "jobs", "given_up"),
)
"""What a template may name beside what every message has; what a message does not have is null."""

# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: & < > are to be escaped in `text`.
SLACK = """{"text":
  {{ (subject ~ "\\n" ~ text) | replace("&", "&amp;") | replace("<", "&lt;") | replace(">", "&gt;") | json }}}"""
# https://learn.microsoft.com/en-us/connectors/teams: a workflow that takes an adaptive card.
TEAMS = """{"type": "message", "attachments": [{
  "contentType": "application/vnd.microsoft.card.adaptive",
  "content": {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
    "body": [
      {"type": "TextBlock", "text": {{ subject | json }}, "weight": "bolder", "wrap": true},
      {"type": "TextBlock", "text": {{ text | replace("\\n", "\\n\\n") | json }}, "wrap": true}
    ]}}]}"""
BUILT_IN = {"slack": SLACK, "teams": TEAMS}


def body_of(message: Message, template: str | None) -> bytes:
    """What is sent. Raises `InputError` for a template that makes no JSON of this message."""
    values = values_of(message)
    if template is None:
        return json.dumps(values, ensure_ascii=False).encode()
    try:
        parsed = parse_text(BUILT_IN.get(template, template))
        text = parsed.render({**dict.fromkeys(FIELDS), "counts": {}, **values}, limit=LONGEST)
        json.loads(text)
    except (NotAText, Unrendered) as error:
        raise InputError(f"the template of the webhook cannot be worked out: {error}") from error
    except ValueError as error:
        hint = "Write values as {{ subject | json }}, which puts the quotes around them as well."
        raise InputError(f"what the template of the webhook makes is no JSON: {error}", hint=hint) from error
    return text.encode()


def values_of(message: Message) -> dict[str, Any]:
    """What programs and templates get of a message."""
    return {
        "version": 1,
        "key": message.key,
        "kind": message.kind,
        "job": message.job,
        "at": message.at.isoformat(),
        "subject": message.subject,
        "text": message.text,
        "is_repeated": message.is_repeated,
        **message.data,
    }
