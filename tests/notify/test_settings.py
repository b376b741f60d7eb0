"""`channels:`, `digest:` and `notify:`: what is wrong in them is told with its place, and a near match."""

from pathlib import Path

import pytest

from idms_cli.config.channels import stored_notify
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings, read_settings
from idms_cli.jobs.job import parse_job
from idms_cli.notify.checking import template_problems
from tests.conftest import Place

HEAD = 'connections: {live: {url: "https://x.example.org", username: a, password: {env: A}}}\n'
MAIL = "mail: {server: {host: mail.example.org}, from: idms@example.org}\n"
JOB = "module: import\nwith: {}\n"


def settings(folder: Path, text: str) -> Settings:
    (folder / "idms.yaml").write_text(HEAD + text)
    return read_settings(folder / "idms.yaml")


def told(folder: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(ProblemsFound) as found:
        settings(folder, text)
    return [(problem.line, problem.message, problem.hint) for problem in found.value.problems]


def test_each_way_is_read_in_its_short_form_and_its_long_one(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        MAIL
        + """channels:
  ops: {mail: [ops@example.org, "Anna <anna@example.org>"]}
  board: {mail: {to: [board@example.org], from: us@example.org, server: {host: other.example.org}}, limit: 1m}
  chat: {webhook: {url: {env: CHAT}, template: slack, headers: {X-Who: idms}, bearer: {env: TOKEN}}}
  hook: {webhook: "https://hooks.example.org/x?y=1"}
  sms: {program: [/usr/local/bin/sms, ops]}
  watch: {ping: "https://watch.example.org/key/{job}"}
  more: {apprise: {env: APPRISE}}
digest: {at: "07:00", channels: [ops]}
defaults: {notify: [ops, watch]}
""",
    )
    kinds = {name: channel.kind for name, channel in read.channels.items()}
    assert list(kinds.values()) == ["mail", "mail", "webhook", "webhook", "program", "ping", "apprise"]
    assert read.digest is not None
    assert f"{read.digest.at:%H:%M}" == "07:00"
    job = parse_job("scores", parse_document(JOB.encode(), "scores.yaml"), read)
    stored = stored_notify(job.notify, read.channels)
    assert (stored["channels"], stored["pings"], stored["remind_s"]) == (["ops"], ["watch"], 86_400)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("channels: {ops: {}}", "a channel is exactly one way", "write one of mail, webhook, program, ping, apprise"),
        (
            'channels: {ops: {webhook: "http://hooks.example.org/x"}}',
            "http:// sends passwords in the open; it is for this machine only",
            "write https://",
        ),
        (
            "channels: {ops: {mail: [ops@example.org]}}",
            "no mail server is named",
            "write `mail: {server: {host: mail.example.org}, from: idms@example.org}` in this file",
        ),
        (
            "mail: {server: {host: m.example.org}}\nchannels: {ops: {mail: [ops@example.org]}}",
            "nobody is named who sends it",
            "write `from:` under `mail:` of this file, or of the channel",
        ),
        ("channels: {ops: {mail: [ops]}}", "this is no address of mail", "write ops@example.org, or Members"),
        (
            'channels: {chat: {ping: "https://x.example.org"}}\ndefaults: {notify: [chta]}',
            "there is no channel 'chta'",
            "did you mean 'chat'?",
        ),
        (
            'digest: {at: "07:00", channels: [ops]}',
            "there is no channel 'ops'",
            "write it under channels:",
        ),
        (
            'channels: {chat: {ping: "https://x.example.org"}}\ndigest: {at: "07:00", channels: [chat]}',
            "chat only hears how runs begin and end",
            "name a mail, webhook, program or apprise channel",
        ),
        ('digest: {at: "7am", channels: []}', "'7am' is not a time of day", ""),
        ("channels: {chat: {apprise: slack://a/b/c}}", "a secret cannot stand here itself", "say where it is kept"),
    ],
    ids=["empty", "open", "no-server", "no-sender", "no-address", "near", "none", "ping", "time", "secret"],
)
def test_what_is_wrong_in_idms_yaml_is_told(tmp_path: Path, text: str, message: str, hint: str) -> None:
    found = [(said, what) for _, said, what in told(tmp_path, text + "\n")]
    assert any(said == message and what.startswith(hint) for said, what in found), found


@pytest.mark.parametrize(
    ("notify", "message", "hint"),
    [
        ("[osp]", "there is no channel 'osp' in idms.yaml", "did you mean 'ops'?"),
        ("{channels: [sms]}", "there is no channel 'sms' in idms.yaml", "known: ops"),
        (
            "{channels: [ops], on: [fail]}",
            "'fail' is not one of: failed, partial, held, late, disabled",
            "did you mean 'failed'?",
        ),
        ("{channels: [ops], remind: daily}", "a duration is wanted here", ""),
    ],
    ids=["near", "unknown", "event", "duration"],
)
def test_what_is_wrong_in_a_job_is_told(tmp_path: Path, notify: str, message: str, hint: str) -> None:
    read = settings(tmp_path, 'channels: {ops: {ping: "https://x.example.org"}}\n')
    document = parse_document(f"{JOB}notify: {notify}\n".encode(), "scores.yaml")
    with pytest.raises(ProblemsFound) as found:
        parse_job("scores", document, read)
    problems = [(problem.line, problem.message, problem.hint) for problem in found.value.problems]
    assert len(problems) == 1
    assert problems[0][:2] == (3, message)
    assert problems[0][2].startswith(hint)


def test_a_job_can_say_that_nobody_is_told(tmp_path: Path) -> None:
    read = settings(tmp_path, 'channels: {ops: {ping: "https://x.example.org"}}\ndefaults: {notify: [ops]}\n')
    job = parse_job("scores", parse_document(f"{JOB}notify: []\n".encode(), "scores.yaml"), read)
    assert stored_notify(job.notify, read.channels) == {}


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        ("{{ subjct | json }}", "there is no 'subjct' here", "did you mean 'subject'?"),
        ("{{ subject", "this cannot be read: ", ""),
        (
            '{"text": "{{ subject }}"}',
            "of a message of the kind opened: what the template of the webhook makes is no JSON: ",
            "Write values as {{ subject | json }}, which puts the quotes around them as well.",
        ),
        (
            '{"text": {{ subject | json }}, "run": {{ run }}}',
            "of a message of the kind reminder: what the template of the webhook makes is no JSON: ",
            "Write values as {{ subject | json }}",
        ),
        (
            '{"rejects": {{ counts.rejected }}}',
            "of a message of the kind silent: the template of the webhook cannot be worked out: ",
            "",
        ),
    ],
    ids=["name", "syntax", "no-quotes", "not-in-every-message", "not-in-every-count"],
)
def test_a_template_that_could_send_nothing_is_told_before_there_is_a_message(
    tmp_path: Path, template: str, message: str, hint: str
) -> None:
    channel = f"channels:\n  chat:\n    webhook:\n      url: https://x.example.org\n      template: '{template}'\n"
    (found,) = template_problems(settings(tmp_path, channel))
    assert (found.line, found.column) == (6, 17)
    assert found.message.startswith(message)
    assert found.hint.startswith(hint)


@pytest.mark.parametrize(
    "template", ["slack", "teams", '{"text": {{ subject | json }}, "run": {{ run | json }}, "n": {{ counts | json }}}']
)
def test_a_template_that_makes_json_of_every_message_is_none(tmp_path: Path, template: str) -> None:
    channel = f"channels: {{chat: {{webhook: {{url: 'https://x.example.org', template: '{template}'}}}}}}\n"
    assert template_problems(settings(tmp_path, channel)) == []


def test_idms_check_tells_it(place: Place, url: str) -> None:
    place.settings(url, more="channels: {chat: {webhook: {url: 'https://x.example.org', template: '{{ subjct }}'}}}\n")
    told = place.idms("check")
    assert told.returncode == 2
    assert "there is no 'subjct' here" in told.stderr
    assert "idms.yaml:3:" in told.stderr
