"""A folder on an FTP server as a destination: over TLS only, whole files or none, whatever befalls the server or us."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import BadStep, Receipt
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, LoginRefused, Unreachable
from tests.delivery.cargo import SampleCargo, delivery, destination, digest, sample
from tests.delivery.ftpserver import PASSWORD, USER, FtpPartner, ftp_partner
from tests.delivery.killing import killed_when

CONTENT = "ID,Name\r\n101,Zoë\r\n102,Ann\r\n".encode()
LARGE = 3_000_000
OLD = "yesterday's"


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[FtpPartner]:
    with ftp_partner(tmp_path / "partner") as made:
        yield made


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def deliver(step: str, cargo: SampleCargo, directory: Path, told: list[str] | None = None) -> Receipt:
    return destination(step, directory).deliver(cargo, delivery(directory, told=told))


def refused(step: str, cargo: SampleCargo, directory: Path, told: list[str] | None = None) -> IdmsError:
    with pytest.raises(IdmsError) as caught:
        deliver(step, cargo, directory, told)
    assert caught.value.hint
    assert PASSWORD not in str(caught.value) + caught.value.hint
    return caught.value


def test_a_file_arrives_whole_and_under_its_name(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    receipt = deliver(ftp.step(tmp_path), sample(made), tmp_path)
    assert receipt == Receipt(ftp.url("in/members.csv"), items=1, size=len(CONTENT))
    assert ftp.names() == ["members.csv"]
    assert (ftp.inbox / "members.csv").read_bytes() == CONTENT
    assert ftp.commands[:4] == ["AUTH", "USER", "PASS", "PBSZ"]  # nothing of ours went in the open


def test_a_large_file_arrives_whole_and_its_bytes_are_counted(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    cargo = sample(made, size=LARGE)
    counts: list[int] = []
    given = delivery(tmp_path)
    object.__setattr__(given, "progress", lambda told: counts.append(told.get("bytes", 0)))
    destination(ftp.step(tmp_path), tmp_path).deliver(cargo, given)
    assert digest(ftp.inbox / "members.csv") == digest(made / "members.csv")
    assert max(counts) == LARGE
    assert len(counts) > 5


def test_tls_from_the_first_byte_if_that_is_wanted(tmp_path: Path, made: Path) -> None:
    with ftp_partner(tmp_path / "implicit", implicit=True) as ftp:
        deliver(ftp.step(tmp_path, "implicit: true"), sample(made), tmp_path)
        assert ftp.names() == ["members.csv"]


def test_a_server_that_wants_to_see_the_same_tls_session_for_the_file_sees_it(tmp_path: Path, made: Path) -> None:
    with ftp_partner(tmp_path / "strict", demands_session=True) as ftp:
        cargo = SampleCargo([made / f"{number}.csv" for number in range(3)])
        for path in cargo.files:
            path.write_text(path.name)
        assert deliver(ftp.step(tmp_path), cargo, tmp_path) == Receipt(ftp.url("in/"), items=3, size=15)
        assert ftp.names() == ["0.csv", "1.csv", "2.csv"]
        assert ftp.resumed == [True, True, True]


@pytest.mark.parametrize("name", ["Zoë & Ann 100% #1.csv", "a%20b.csv", "ein ~ 日本.csv", "[x]{y};'\"$.csv"])
def test_a_name_arrives_as_it_is(tmp_path: Path, ftp: FtpPartner, made: Path, name: str) -> None:
    assert deliver(ftp.step(tmp_path), sample(made, name=name), tmp_path).address == ftp.url(f"in/{name}")
    assert ftp.names() == [name]


def test_the_folder_of_the_login_is_a_tilde(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    deliver(ftp.step(tmp_path).replace("/in/", "/~/in/"), sample(made), tmp_path)
    assert ftp.names() == ["members.csv"]


def test_delivered_again_it_is_not_sent_again(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    first = deliver(ftp.step(tmp_path), sample(made), tmp_path)
    (ftp.inbox / "members.csv").unlink()  # whoever it was for has fetched it
    assert deliver(ftp.step(tmp_path), sample(made), tmp_path) == first
    assert ftp.names() == []


# What is there already


@pytest.mark.parametrize("replaces", [True, False], ids=["unix", "windows"])
def test_a_file_of_the_same_name_is_replaced(tmp_path: Path, ftp: FtpPartner, made: Path, replaces: bool) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    ftp.faults.replaces = replaces
    told: list[str] = []
    deliver(ftp.step(tmp_path), sample(made), tmp_path, told)
    assert ftp.names() == ["members.csv"]
    assert (ftp.inbox / "members.csv").read_bytes() == CONTENT
    assert [one for one in told if "cannot replace a file in one step" in one] == (told if not replaces else [])


def test_a_file_that_is_there_is_left_alone_if_that_is_wanted(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    error = refused(ftp.step(tmp_path, "overwrite: refuse"), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error) == f"{ftp.url('in/members.csv')} is there already"
    assert (ftp.inbox / "members.csv").read_text() == OLD
    assert "STOR" not in ftp.commands


def test_a_file_takes_the_next_number(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    for name in ("members.csv", "members-2.csv"):
        (ftp.inbox / name).write_text(OLD)
    receipt = deliver(ftp.step(tmp_path, "overwrite: number"), sample(made), tmp_path)
    assert receipt.address == ftp.url("in/members-3.csv")
    assert ftp.names() == ["members-2.csv", "members-3.csv", "members.csv"]
    assert (ftp.inbox / "members.csv").read_text() == OLD


def test_a_folder_of_that_name_is_not_replaced(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").mkdir()
    assert isinstance(refused(ftp.step(tmp_path), sample(made), tmp_path), DeliveryRefused)
    assert ftp.names() == ["members.csv"]
    assert (ftp.inbox / "members.csv").is_dir()


def test_a_folder_that_is_not_there_is_told_or_made(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    step = ftp.step(tmp_path).replace("/in/", "/in/deep/er/")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error) == f"there is no folder {ftp.url('in/deep/er/')}"
    assert "create: true" in error.hint
    deliver(f"{step}create: true\n", sample(made), tmp_path)
    assert (ftp.inbox / "deep/er/members.csv").read_bytes() == CONTENT


# Who is there, and who we are


def test_a_certificate_of_somebody_else_is_not_accepted(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    step = ftp.step(tmp_path).replace(str(ftp.ca_file), "other.pem")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).startswith(f"127.0.0.1:{ftp.port}: the certificate of the server is not trusted: ")
    assert "`ca_file:`" in error.hint
    assert ftp.logins == []
    assert ftp.names() == []


def test_a_certificate_for_another_name_is_not_accepted(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    error = refused(ftp.step(tmp_path).replace("127.0.0.1", "localhost"), sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert "is not trusted: " in str(error)
    assert "localhost" in str(error)
    assert ftp.logins == []


def test_a_wrong_password_is_sent_once(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    step = ftp.step(tmp_path)
    (tmp_path / "partner-password").write_text("wrong")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, LoginRefused)
    assert str(error) == f"127.0.0.1:{ftp.port} refuses the login of {USER}"
    assert ftp.logins == ["wrong"]


def test_a_server_without_tls_gets_no_password(tmp_path: Path, made: Path) -> None:
    with ftp_partner(tmp_path / "plain", tls=False) as ftp:
        error = refused(ftp.step(tmp_path), sample(made), tmp_path)
        assert isinstance(error, InputError)
        assert str(error).startswith(f"127.0.0.1:{ftp.port} speaks no TLS: 5")
        assert ftp.logins == []
        assert "USER" not in ftp.commands


def test_plain_ftp_is_refused_but_where_the_job_insists_and_then_it_is_told(tmp_path: Path, made: Path) -> None:
    with ftp_partner(tmp_path / "plain", tls=False) as ftp:
        ftp.step(tmp_path)
        step = f"to: {ftp.url('in/', 'ftp')}\nauth: {{password: {{file: partner-password}}}}\n"
        with pytest.raises(BadStep) as caught:
            destination(step, tmp_path)
        assert str(caught.value) == "ftp:// sends the password and the file in the open"
        assert caught.value.key == ("to",)
        told: list[str] = []
        deliver(f"{step}insecure: true\n", sample(made), tmp_path, told)
        assert told == [f"{ftp.url('in/', 'ftp')}: password and file can be read on their way (insecure: true)."]
        assert ftp.names() == ["members.csv"]


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ("to: ftps://me@host/in/\ninsecure: true", "insecure", "ftps:// is secure, and stays so"),
        ("to: ftp://me@host/in/\ninsecure: true\nca_file: x", "ca_file", "ftp:// has no TLS"),
        ("to: ftp://me@host/in/\ninsecure: true\nimplicit: true", "implicit", "ftp:// has no TLS"),
    ],
)
def test_keys_that_do_not_go_together_are_told(tmp_path: Path, keys: str, key: str, message: str) -> None:
    with pytest.raises(BadStep, match=message) as caught:
        destination(f"{keys}\nauth: {{password: {{env: X}}}}", tmp_path)
    assert caught.value.key == (key,)


@pytest.mark.parametrize("keys", ["to: ftps://host/in/", "to: ftps://a:b@host/in/", "to: ftps://me@host/x.csv"])
def test_addresses_that_name_no_folder_or_user_are_told(tmp_path: Path, keys: str) -> None:
    with pytest.raises(ProblemsFound):
        destination(f"{keys}\nauth: {{password: {{env: X}}}}", tmp_path)


# Faults in the middle


@pytest.mark.parametrize("size", [LARGE, 10 * LARGE], ids=["on its way", "stuck"])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, ftp: FtpPartner, made: Path, size: int
) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    ftp.faults.room = 1_000_000
    cargo = sample(made, size=size)
    error = refused(ftp.step(tmp_path), cargo, tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "No space left on device" in str(error)
    assert error.hint.startswith("Have room made there")
    assert ftp.names() == ["members.csv"]
    assert (ftp.inbox / "members.csv").read_text() == OLD
    ftp.faults.room = None
    deliver(ftp.step(tmp_path), cargo, tmp_path)
    assert digest(ftp.inbox / "members.csv") == digest(made / "members.csv")
    assert ftp.names() == ["members.csv"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("552 Quota exceeded.", DeliveryRefused),
        ("452 Insufficient storage space.", DeliveryRefused),
        ("553 Permission denied.", DeliveryRefused),
        ("451 Failure writing to local file.", DeliveryRefused),
        ("425 No data connection.", Unreachable),
        ("421 Too busy.", Unreachable),
    ],
)
def test_an_answer_says_whether_it_may_pass(
    tmp_path: Path, ftp: FtpPartner, made: Path, answer: str, kind: type[IdmsError]
) -> None:
    ftp.faults.refuses["STOR"] = answer
    error = refused(ftp.step(tmp_path), sample(made), tmp_path)
    assert type(error) is kind
    assert answer[4:].rstrip(".") in str(error)
    assert ftp.names() == []


def test_a_connection_that_is_cut_leaves_what_was_there(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    ftp.faults.cut_after = 1_000_000
    told: list[str] = []
    cargo = sample(made, size=LARGE)
    error = refused(ftp.step(tmp_path), cargo, tmp_path, told)
    assert isinstance(error, Unreachable)
    assert (ftp.inbox / "members.csv").read_text() == OLD
    part = next(name for name in ftp.names() if name.startswith(".idms-7-"))
    assert told == [f"What was sent may still be there as {part}; the next attempt replaces it."]
    ftp.faults.cut_after = None
    deliver(ftp.step(tmp_path), cargo, tmp_path)
    assert digest(ftp.inbox / "members.csv") == digest(made / "members.csv")
    assert ftp.names() == ["members.csv"]


@pytest.mark.parametrize("where", ["file", "answer"])
def test_a_server_that_stands_still_is_given_up(tmp_path: Path, ftp: FtpPartner, made: Path, where: str) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    cargo = sample(made, size=20_000_000 if where == "file" else 100)
    if where == "file":
        ftp.faults.stands_still_after = 1_000_000
    else:
        ftp.faults.mute = frozenset({"RNTO"})
    error = refused(ftp.step(tmp_path).replace("silence: 3s", "silence: 1s"), cargo, tmp_path)
    assert isinstance(error, Unreachable)
    assert "nothing came for 1 s." in str(error)
    assert "`silence:` of the step" in error.hint
    assert (ftp.inbox / "members.csv").read_text() == OLD
    ftp.faults.stands_still_after, ftp.faults.mute = None, frozenset()
    deliver(ftp.step(tmp_path), cargo, tmp_path)
    assert digest(ftp.inbox / "members.csv") == digest(made / "members.csv")
    assert ftp.names() == ["members.csv"]


def test_a_stopped_delivery_leaves_nothing(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    ftp.faults.slow_s = 0.05
    given = delivery(tmp_path, stopping=lambda: ftp.received > 200_000)
    with pytest.raises(Interrupted):
        destination(ftp.step(tmp_path), tmp_path).deliver(sample(made, size=20_000_000), given)
    assert ftp.names() == ["members.csv"]
    assert (ftp.inbox / "members.csv").read_text() == OLD


def test_a_file_that_arrives_short_gets_no_name(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    ftp.faults.loses = 2
    error = refused(ftp.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).endswith(f"/in/members.csv: {len(CONTENT) - 2} of {len(CONTENT)} bytes arrived.")
    assert "members.csv" not in ftp.names()
    ftp.faults.loses = 0
    deliver(ftp.step(tmp_path), sample(made), tmp_path)
    assert ftp.names() == ["members.csv"]


def test_a_server_that_renames_nothing_keeps_what_was_there(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    ftp.faults.refuses["RNTO"] = "550 Permission denied."
    error = refused(ftp.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "Permission denied" in str(error)
    assert (ftp.inbox / "members.csv").read_text() == OLD
    assert ftp.names() == ["members.csv"]


def test_a_server_that_tells_no_sizes_is_no_place_for_files(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    ftp.faults.refuses["SIZE"] = "502 Command not implemented."
    error = refused(ftp.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "does not tell the size of a file" in str(error)


def test_a_server_that_says_nothing_at_all_is_given_up(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dead:
        step = (
            ftp.step(tmp_path)
            .replace(f":{ftp.port}/", f":{dead.getsockname()[1]}/")
            .replace("silence: 3s", "silence: 1s")
        )
        error = refused(step, sample(made), tmp_path)
        assert "nothing came for 1 s." in str(error)
        assert error.hint.endswith("Or does it want implicit: true?")


def test_a_server_that_ends_the_connection_is_told(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        thread = threading.Thread(target=lambda: rude.accept()[0].close())  # noqa: PLW0108 - it waits there
        thread.start()
        step = ftp.step(tmp_path).replace(f":{ftp.port}/", f":{rude.getsockname()[1]}/")
        assert isinstance(refused(step, sample(made), tmp_path), Unreachable)
        thread.join()


def test_nobody_listens(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    error = refused(ftp.step(tmp_path).replace(f":{ftp.port}/", ":1/"), sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error) == "127.0.0.1:1: Connection refused."


# kill -9


def test_killed_in_the_middle_and_done_again_it_comes_once(tmp_path: Path, ftp: FtpPartner, made: Path) -> None:
    (ftp.inbox / "members.csv").write_text(OLD)
    cargo = sample(made, size=20_000_000)
    ftp.faults.stands_still_after = 1_000_000
    killed_when(lambda: ftp.received > 1_000_000, ftp.step(tmp_path), cargo.files[0], tmp_path)
    assert (ftp.inbox / "members.csv").read_text() == OLD
    ftp.faults.stands_still_after = None
    deliver(ftp.step(tmp_path), cargo, tmp_path)
    assert ftp.names() == ["members.csv"]
    assert digest(ftp.inbox / "members.csv") == digest(cargo.files[0])


@pytest.mark.parametrize("is_done", [True, False])
def test_killed_while_the_server_renames(tmp_path: Path, ftp: FtpPartner, made: Path, is_done: bool) -> None:
    cargo = sample(made)
    command = frozenset({"RNTO"})
    ftp.faults.mute, ftp.faults.mute_after = (frozenset(), command) if is_done else (command, frozenset())
    killed_when(
        lambda: "RNTO" in ftp.commands and (not is_done or "members.csv" in ftp.names()),
        ftp.step(tmp_path),
        cargo.files[0],
        tmp_path,
    )
    if is_done:
        (ftp.inbox / "members.csv").unlink()  # whoever it was for has fetched it
    ftp.faults.mute = ftp.faults.mute_after = frozenset()
    deliver(ftp.step(tmp_path), cargo, tmp_path)
    assert ftp.names() == ([] if is_done else ["members.csv"])
    assert ftp.commands.count("STOR") == 1
