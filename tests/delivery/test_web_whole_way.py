"""A transfer to a web server and by mail, through the real command."""

from tests.conftest import Place
from tests.delivery.postoffice import PASSWORD, USER, PostOffice
from tests.delivery.receiver import YES, Receiver, Says, Taken, refuses

JOB = """
module: transfer
with:
  source: {{path: members.csv}}
  steps:
    - {{name: partner, to: "{url}/members/{{{{ row.ID }}}}", method: POST, each: true, answer: {{store: [id]}}}}
    - {{name: told, to: {{mail: [ops@example.org]}}, file: "members-{{{{ slot.date }}}}.csv", subject: "{{{{ job }}}}"}}
    - {{name: failed, to: {{mail: [ops@example.org]}}, when: failure, subject: "{{{{ job }}}} failed"}}
"""
MAIL = "mail:\n  server: {{host: 127.0.0.1, port: {port}, ca_file: '{ca}', user: {user}, password: {{file: pw}}}}\n"


def test_a_retry_delivers_what_is_left_and_what_was_refused_and_nothing_twice(
    place: Place, url: str, web: Receiver, office: PostOffice
) -> None:
    place.write("pw", PASSWORD).chmod(0o600)
    mail = MAIL.format(port=office.port, ca=office.ca_file, user=USER)
    place.settings(url, more=f"{mail}  from: idms <idms@example.org>\n")
    place.write("members.csv", "ID,Name\n101,Zoë\n102,=cmd()\n103,Bo\n")
    place.write("jobs.d/feed.yaml", JOB.format(url=web.url))

    def decide(taken: Taken) -> Says:
        member = taken.json()["ID"]
        if member == "102":
            return refuses(422, "no such member")
        return refuses(507, "full") if member == "103" else Says(200, b'{"id": 7}')

    web.decide = decide
    first = place.idms("run", "feed")
    assert first.returncode == 1
    assert f"step partner failed: POST {web.url}/members/103: the server does not take it: 507, full" in first.stdout
    assert [str(kept.message["Subject"]) for kept in office.mails] == ["feed failed"]
    folder = place.state / "runs/1/step-1"
    assert "102,'=cmd(),2,refused,422" in (folder / "undelivered.csv").read_text(encoding="utf-8-sig")
    assert "101,Zoë,1,200,7" in (folder / "answers.csv").read_text(encoding="utf-8-sig")
    web.decide = lambda taken: YES
    second = place.idms("retry", "1")
    assert second.returncode == 0, second.stdout + second.stderr
    assert sorted(web.effects().items()) == [("101", 1), ("102", 1), ("103", 1)]
    kept = office.mails[1]
    (file,) = kept.message.iter_attachments()
    assert str(file.get_content()).splitlines()[1:] == ["101,Zoë", "102,'=cmd()", "103,Bo"]
    assert (str(kept.message["From"]), str(kept.message["Subject"])) == ("idms <idms@example.org>", "feed")


def test_check_tells_what_is_wrong_with_steps_to_the_web_and_by_mail(place: Place) -> None:
    place.write("members.csv", "ID\n101\n")
    job = JOB.format(url="https://partner.example.net").replace("each: true", "eech: true").replace("ops@", "ops")
    place.write("jobs.d/feed.yaml", job)
    told = place.idms("check").stdout
    assert "the key 'eech' is not known here" in told
    assert "this is no address of mail" in told
    place.write("jobs.d/feed.yaml", JOB.format(url="https://partner.example.net"))
    told = place.idms("check").stdout
    assert "no mail server is named" in told
    assert "Say `server: {host: ...}` here, or `mail: {server: ...}` in idms.yaml." in told
