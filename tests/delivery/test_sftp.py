"""A folder on an SSH server as a destination: whole files or none, whatever befalls the server, the line or us."""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import Receipt
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, LoginRefused, Unreachable
from tests.delivery.cargo import SampleCargo, delivery, destination, digest, sample
from tests.delivery.sshserver import Partner, partner
from tests.sources.servers import PASSWORD, USER

CONTENT = "ID,Name\r\n101,Zoë\r\n102,Ann\r\n".encode()
LARGE = 3_000_000
OLD = "yesterday's"


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Partner]:
    with partner(tmp_path / "partner") as made:
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


def test_a_file_arrives_whole_on_disk_and_under_its_name(tmp_path: Path, ssh: Partner, made: Path) -> None:
    receipt = deliver(ssh.step(tmp_path), sample(made), tmp_path)
    assert receipt == Receipt(ssh.server.url("in/members.csv"), items=1, size=len(CONTENT))
    assert ssh.names() == ["members.csv"]
    assert (ssh.inbox / "members.csv").read_bytes() == CONTENT
    assert ssh.reached == ["remove", "write", "fsync", "rename"]


def test_a_large_file_arrives_whole_and_its_bytes_are_counted(tmp_path: Path, ssh: Partner, made: Path) -> None:
    cargo = sample(made, size=LARGE)
    counts: list[int] = []
    given = delivery(tmp_path)
    object.__setattr__(given, "progress", lambda told: counts.append(told.get("bytes", 0)))
    destination(ssh.step(tmp_path), tmp_path).deliver(cargo, given)
    assert digest(ssh.inbox / "members.csv") == digest(made / "members.csv")
    assert max(counts) == LARGE
    assert len(counts) > 5


@pytest.mark.parametrize("name", ["Zoë & Ann 100% #1.csv", "a%20b.csv", "ein ~ 日本.csv", "[x]{y};'\"$.csv"])
def test_a_name_arrives_as_it_is(tmp_path: Path, ssh: Partner, made: Path, name: str) -> None:
    assert deliver(ssh.step(tmp_path), sample(made, name=name), tmp_path).address == ssh.server.url(f"in/{name}")
    assert ssh.names() == [name]


def test_a_folder_is_taken_as_it_is_written(tmp_path: Path, ssh: Partner, made: Path) -> None:
    folder = ssh.server.folder / "in 100%20#é"
    folder.mkdir()
    step = ssh.step(tmp_path).replace("/in/", "/in 100%20#é/").replace("to: ", 'to: "', 1).replace("/\n", '/"\n', 1)
    deliver(step, sample(made), tmp_path)
    assert [path.name for path in folder.iterdir()] == ["members.csv"]


def test_the_users_own_folder_is_a_tilde(tmp_path: Path, ssh: Partner, made: Path) -> None:
    deliver(ssh.step(tmp_path).replace("/in/", "/~/in/"), sample(made), tmp_path)
    assert ssh.names() == ["members.csv"]


def test_several_files_arrive_and_are_counted(tmp_path: Path, ssh: Partner, made: Path) -> None:
    cargo = SampleCargo([made / f"{number}.csv" for number in range(3)])
    for path in cargo.files:
        path.write_text(path.name)
    assert deliver(ssh.step(tmp_path), cargo, tmp_path) == Receipt(ssh.server.url("in/"), items=3, size=15)
    assert ssh.names() == ["0.csv", "1.csv", "2.csv"]


def test_a_file_without_any_byte_arrives(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (made / "empty.csv").touch()
    deliver(ssh.step(tmp_path), SampleCargo([made / "empty.csv"]), tmp_path)
    assert (ssh.inbox / "empty.csv").read_bytes() == b""


def test_delivered_again_it_is_not_sent_again(tmp_path: Path, ssh: Partner, made: Path) -> None:
    first = deliver(ssh.step(tmp_path), sample(made), tmp_path)
    (ssh.inbox / "members.csv").unlink()  # whoever it was for has fetched it
    assert deliver(ssh.step(tmp_path), sample(made), tmp_path) == first
    assert ssh.names() == []


# What is there already


@pytest.mark.parametrize("replaces", [True, False], ids=["OpenSSH", "plain"])
def test_a_file_of_the_same_name_is_replaced(tmp_path: Path, ssh: Partner, made: Path, replaces: bool) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.replaces = replaces
    told: list[str] = []
    deliver(ssh.step(tmp_path), sample(made), tmp_path, told)
    assert ssh.names() == ["members.csv"]
    assert (ssh.inbox / "members.csv").read_bytes() == CONTENT
    assert told == (
        []
        if replaces
        else [
            f"{ssh.server.url('in/members.csv')}: the server cannot replace a file in one step; for a moment there "
            "is none."
        ]
    )


def test_a_file_that_is_there_is_left_alone_if_that_is_wanted(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    error = refused(ssh.step(tmp_path, "overwrite: refuse"), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error) == f"{ssh.server.url('in/members.csv')} is there already"
    assert (ssh.inbox / "members.csv").read_text() == OLD
    assert ssh.names() == ["members.csv"]
    assert ssh.reached == []  # not even sent
    (ssh.inbox / "members.csv").unlink()
    deliver(ssh.step(tmp_path, "overwrite: refuse"), sample(made), tmp_path)
    assert (ssh.inbox / "members.csv").read_bytes() == CONTENT


def test_a_file_takes_the_next_number(tmp_path: Path, ssh: Partner, made: Path) -> None:
    for name in ("members.csv", "members-2.csv"):
        (ssh.inbox / name).write_text(OLD)
    receipt = deliver(ssh.step(tmp_path, "overwrite: number"), sample(made), tmp_path)
    assert receipt.address == ssh.server.url("in/members-3.csv")
    assert ssh.names() == ["members-2.csv", "members-3.csv", "members.csv"]
    assert (ssh.inbox / "members.csv").read_text() == OLD


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_plain_file_is_not_replaced(tmp_path: Path, ssh: Partner, made: Path, kind: str) -> None:
    other = ssh.server.folder / "precious"
    other.write_text(OLD)
    if kind == "link":
        (ssh.inbox / "members.csv").symlink_to(other)
    else:
        (ssh.inbox / "members.csv").mkdir()
    error = refused(ssh.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "is not replaced" in str(error)
    assert other.read_text() == OLD
    assert ssh.names() == ["members.csv"]


# The folder


def test_a_folder_that_is_not_there_is_told_or_made(tmp_path: Path, ssh: Partner, made: Path) -> None:
    step = ssh.step(tmp_path).replace("/in/", "/in/deep/er/")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error) == f"there is no folder {ssh.server.url('in/deep/er/')}"
    assert "create: true" in error.hint
    deliver(f"{step}create: true\n", sample(made), tmp_path)
    assert (ssh.inbox / "deep/er/members.csv").read_bytes() == CONTENT


def test_a_file_is_no_folder(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (ssh.inbox / "members").write_text("")
    error = refused(ssh.step(tmp_path).replace("/in/", "/in/members/"), sample(made), tmp_path)
    assert isinstance(error, InputError)
    assert str(error) == f"{ssh.server.url('in/members/')} is no folder"


# Who is there, and who we are


@pytest.mark.parametrize("known", ["pinned", "known_hosts"])
def test_a_changed_key_is_refused_loudly_and_nothing_is_sent(
    tmp_path: Path, ssh: Partner, made: Path, known: str
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{ssh.server.port} {other.export_public_key().decode()}")
    right = f"host_key: {ssh.server.fingerprint}"
    wrong = f"host_key: {other.get_fingerprint()}" if known == "pinned" else "known_hosts: hosts"
    error = refused(ssh.step(tmp_path).replace(right, wrong), sample(made), tmp_path)
    assert isinstance(error, InputError)
    assert "IS NOT WHO IT WAS" in str(error)
    assert ssh.server.fingerprint in str(error)
    assert other.get_fingerprint() in str(error)
    assert ssh.names() == []
    assert ssh.server.logins == []


def test_an_unknown_server_is_refused_with_what_to_write(tmp_path: Path, ssh: Partner, made: Path) -> None:
    step = ssh.step(tmp_path).replace(f"host_key: {ssh.server.fingerprint}\n", "")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, InputError)
    assert f"`host_key: {ssh.server.fingerprint}` in the step" in error.hint
    (tmp_path / "hosts").write_text(ssh.server.known_line)
    deliver(f"{step}known_hosts: hosts\n", sample(made), tmp_path)
    assert ssh.names() == ["members.csv"]


def test_a_wrong_password_is_sent_once(tmp_path: Path, ssh: Partner, made: Path) -> None:
    step = ssh.step(tmp_path)
    (tmp_path / "partner-password").write_text("wrong")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, LoginRefused)
    assert str(error) == f"127.0.0.1:{ssh.server.port} refuses the login of {USER}"
    assert ssh.server.logins == ["wrong"]
    assert ssh.names() == []


def test_a_login_that_the_server_cuts_short_is_refused_as_well(tmp_path: Path, ssh: Partner, made: Path) -> None:
    """As OpenSSH does when it allows few tries: by ending the connection, with a reason."""
    ssh.server.faults.ends_logins = True
    assert isinstance(refused(ssh.step(tmp_path), sample(made), tmp_path), LoginRefused)
    assert len(ssh.server.logins) == 1


def test_a_key_with_a_passphrase_lets_in(tmp_path: Path, made: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").write_bytes(key.export_private_key("pkcs8-pem", passphrase="sesame"))
    (tmp_path / "phrase").write_text("sesame\n")
    for name in ("key", "phrase"):
        (tmp_path / name).chmod(0o600)
    with partner(tmp_path / "keyed", user_key=key) as server:
        password = f"{{password: {{file: {tmp_path / 'partner-password'}}}}}"
        step = server.step(tmp_path).replace(password, "{key: {file: key}, passphrase: {file: phrase}}")
        deliver(step, sample(made), tmp_path)
        assert server.names() == ["members.csv"]
        (tmp_path / "phrase").write_text("wrong")
        error = refused(step, sample(made), tmp_path)
        assert isinstance(error, InputError)
        assert str(error).startswith(f"the private key for 127.0.0.1:{server.server.port} cannot be used")
        (tmp_path / "phrase").write_text("sesame")
        stranger = asyncssh.generate_private_key("ssh-ed25519")
        (tmp_path / "key").write_bytes(stranger.export_private_key("pkcs8-pem", passphrase="sesame"))
        assert isinstance(refused(step, sample(made), tmp_path), LoginRefused)


def test_nobody_listens(tmp_path: Path, ssh: Partner, made: Path) -> None:
    step = ssh.step(tmp_path).replace(f":{ssh.server.port}/", ":1/")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).startswith("sftp://feeds@127.0.0.1:1/in/: ")


# Faults in the middle


@pytest.mark.parametrize("tells_room", [True, False])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, ssh: Partner, made: Path, tells_room: bool
) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.room = 1_000_448
    ssh.faults.tells_room = tells_room
    cargo = sample(made, size=LARGE)
    error = refused(ssh.step(tmp_path), cargo, tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert ssh.names() == ["members.csv"]
    assert (ssh.inbox / "members.csv").read_text() == OLD
    if tells_room:
        assert str(error).endswith(": the disk of the server has 1,000,448 bytes left, and the file has 3,000,000")
    else:
        assert str(error).endswith(": the server does not take it: Failure")
        assert error.hint.startswith("The disk may be full there, or the account's quota used up")
    ssh.faults.room = None
    deliver(ssh.step(tmp_path), cargo, tmp_path)
    assert digest(ssh.inbox / "members.csv") == digest(made / "members.csv")
    assert ssh.names() == ["members.csv"]


def test_a_connection_that_is_cut_leaves_what_was_there(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.cut_after = 1_000_000
    told: list[str] = []
    cargo = sample(made, size=LARGE)
    error = refused(ssh.step(tmp_path), cargo, tmp_path, told)
    assert isinstance(error, Unreachable)
    assert (ssh.inbox / "members.csv").read_text() == OLD
    part = next(name for name in ssh.names() if name.startswith(".idms-7-"))
    assert told == [f"What was sent may still be there as {part}; the next attempt replaces it."]
    ssh.faults.cut_after = None
    deliver(ssh.step(tmp_path), cargo, tmp_path)
    assert digest(ssh.inbox / "members.csv") == digest(made / "members.csv")
    assert ssh.names() == ["members.csv"]


def test_a_server_that_stands_still_is_given_up(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.stands_still_after = 1_000_000
    cargo = sample(made, size=LARGE)
    error = refused(ssh.step(tmp_path).replace("silence: 3s", "silence: 1s"), cargo, tmp_path)
    assert isinstance(error, Unreachable)
    assert "nothing came for 1 s." in str(error)
    assert "`silence:` of the step" in error.hint
    assert (ssh.inbox / "members.csv").read_text() == OLD
    ssh.faults.stands_still_after = None
    deliver(ssh.step(tmp_path), cargo, tmp_path)
    assert digest(ssh.inbox / "members.csv") == digest(made / "members.csv")
    assert ssh.names() == ["members.csv"]


def test_a_stopped_delivery_leaves_nothing(tmp_path: Path, ssh: Partner, made: Path) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.slow_s = 0.01
    given = delivery(tmp_path, stopping=lambda: ssh.reached.count("write") > 3)
    with pytest.raises(Interrupted):
        destination(ssh.step(tmp_path), tmp_path).deliver(sample(made, size=LARGE), given)
    assert ssh.names() == ["members.csv"]
    assert (ssh.inbox / "members.csv").read_text() == OLD


def test_who_stops_the_run_need_not_wait_for_the_server(
    tmp_path: Path, ssh: Partner, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idms_cli.remote.patience.MOMENT_S", 0.5)
    ssh.faults.stands_still_after = 1_000_000
    given = delivery(tmp_path, stopping=lambda: "still" in ssh.reached)
    step = ssh.step(tmp_path).replace("silence: 3s", "silence: 1h")
    with pytest.raises(Interrupted):
        destination(step, tmp_path).deliver(sample(made, size=LARGE), given)


def test_a_file_that_arrives_short_gets_no_name(tmp_path: Path, ssh: Partner, made: Path) -> None:
    ssh.faults.loses = 2
    error = refused(ssh.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).endswith(f"/in/members.csv: {len(CONTENT) - 2} of {len(CONTENT)} bytes arrived.")
    assert "members.csv" not in ssh.names()
    ssh.faults.loses = 0
    deliver(ssh.step(tmp_path), sample(made), tmp_path)
    assert ssh.names() == ["members.csv"]


def test_a_server_that_takes_files_away_too_early_is_told(tmp_path: Path, ssh: Partner, made: Path) -> None:
    ssh.faults.takes_away = True
    error = refused(ssh.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error).endswith(": the server takes the file away before it has its name")


@pytest.mark.parametrize("replaces", [True, False], ids=["OpenSSH", "plain"])
def test_a_server_that_renames_nothing_keeps_what_was_there(
    tmp_path: Path, ssh: Partner, made: Path, replaces: bool
) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.replaces = replaces
    ssh.faults.refuses_renames = True
    error = refused(ssh.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "Permission denied" in str(error)
    assert (ssh.inbox / "members.csv").read_text() == OLD
    assert ssh.names() == ["members.csv"]


# What a job may say


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("to: sftp://host/in/\nauth: {password: {env: X}}", "the address names no user"),
        ("to: sftp://me:secret@host/in/\nauth: {password: {env: X}}", "a password does not belong in the address"),
        ("to: sftp://me@host\nauth: {password: {env: X}}", "this address names no folder"),
        ("to: sftp://me@host/in/members.csv\nauth: {password: {env: X}}", "this looks like a file"),
        ("to: sftp://me@host/in/../etc/\nauth: {password: {env: X}}", "a part of this path has no name"),
        ("to: sftp://me@host:0/in/\nauth: {password: {env: X}}", "this is no name of a server, or no port"),
        ("to: sftp://me@host/in/", "the key 'auth' is missing"),
        ("to: sftp://me@host/in/\nauth: {}", "this is no way to log in"),
        ("to: sftp://me@host/in/\nauth: {password: {env: X}, passphrase: {env: Y}}", "a passphrase without a key"),
        ("to: sftp://me@host/in/\nauth: {password: hunter2}", "a secret cannot stand here itself"),
        ("to: sftp://me@host/in/\nauth: {password: {env: X}}\nhost_key: MD5:aa", "this is no fingerprint of a key"),
        ("to: sftp://me@host/in/\nauth: {password: {env: X}}\noverwrite: perhaps", "'perhaps' is not one of"),
    ],
)
def test_mistakes_of_a_step_are_told_and_no_secret_with_them(tmp_path: Path, step: str, message: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        destination(step, tmp_path)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_a_rehearsal_asks_no_server(tmp_path: Path, ssh: Partner, made: Path) -> None:
    place = destination(ssh.step(tmp_path), tmp_path)
    told = place.rehearse(sample(made), delivery(tmp_path))
    assert told == f"would put members.csv into {ssh.server.url('in/')}, replacing what may be there"
    assert place.describe() == ssh.server.url("in/")
    assert place.resource() == f"sftp://127.0.0.1:{ssh.server.port}/in/"
    assert ssh.server.logins == []
