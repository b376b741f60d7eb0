"""Files from an SSH server: fetched, archived there, and what is said when it is not as it should be."""

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from idms_cli.errors import IdmsError
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades
from tests.sources.servers import PASSWORD, USER, SshServer, ssh_server


def job(office: Office, ssh: SshServer, path: str = "out/scores.csv", **more: Any) -> dict[str, Any]:
    """Course results from the server, whose key is pinned."""
    secret = office.directory / "partner-password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    login = {"auth": {"password": {"file": str(secret)}}, "host_key": ssh.fingerprint}
    source = {"path": ssh.url(path), **login, **more}
    return graded(source={key: value for key, value in source.items() if value is not None})


def test_a_file_is_fetched_and_imported(office: Office, ssh: SshServer, site: Sandbox) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(3))
    assert office.run(job(office, ssh)).summary == {"read": 3, "inserted": 3}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3
    assert (ssh.folder / "out/scores.csv").exists()


def test_a_large_file_comes_whole(office: Office, ssh: SshServer) -> None:
    text = grades(200_000)
    (ssh.folder / "out/scores.csv").write_text(text)
    done = office.run(job(office, ssh), row_limit=3)
    assert (done.directory / "source.csv").read_text() == text


def test_a_pattern_finds_files_of_the_folder(office: Office, ssh: SshServer) -> None:
    for name, course in (("a-2.csv", "Cooking"), ("a-1.csv", "Bookbinding"), (".a-3.csv", "Zoology"), ("b.csv", "Art")):
        (ssh.folder / "out" / name).write_text(grades(1, course=course))
    (ssh.folder / "out/a-dir.csv").mkdir()
    done = office.run(job(office, ssh, "out/a-*.csv", several="together"))
    assert done.summary == {"read": 2, "inserted": 2}


def test_the_home_of_the_user_is_a_tilde(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "scores.csv").write_text(grades(1))
    assert office.run(job(office, ssh, "~/scores.csv")).summary == {"read": 1, "inserted": 1}


def test_an_archived_file_is_renamed_on_the_server(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    options = job(office, ssh, after={"success": "archive"})
    done = office.run(options)
    after = office.parse(options).aftercare(office.context(done.directory), done.outcome)
    assert after is not None
    assert after().status == "completed"
    assert [path.name for path in (ssh.folder / "out").rglob("*.csv")] == ["1-scores.csv"]
    assert (ssh.folder / "out/archive/1-scores.csv").read_text() == grades(1)
    assert after().status == "completed"  # once more does no harm


def test_a_name_that_is_taken_in_the_archive_is_left_alone(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    (ssh.folder / "done").mkdir()
    (ssh.folder / "done/1-scores.csv").write_text("another one")
    options = job(office, ssh, after={"success": "archive"}, archive="/done")
    done = office.run(options)
    after = office.parse(options).aftercare(office.context(done.directory), done.outcome)
    assert after is not None
    after()
    assert sorted(path.name for path in (ssh.folder / "done").iterdir()) == ["1-scores.csv", "1.2-scores.csv"]
    assert (ssh.folder / "done/1-scores.csv").read_text() == "another one"


def _fails(office: Office, options: dict[str, Any]) -> IdmsError:
    error = office.fails(options)
    assert PASSWORD not in str(error) + error.hint
    return error


def test_a_wrong_password_is_a_refused_login(office: Office, ssh: SshServer) -> None:
    options = job(office, ssh)
    (office.directory / "partner-password").write_text("wrong")
    error = office.fails(options)
    assert str(error) == f"127.0.0.1:{ssh.port} refuses the login of {USER}"
    assert error.exit_code == 4


def test_a_key_lets_in_as_well(office: Office, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").write_bytes(key.export_private_key("openssh", passphrase="sesame", rounds=8))
    (tmp_path / "phrase").write_text("sesame\n")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "phrase").chmod(0o600)
    folder = tmp_path / "keyed"
    folder.mkdir()
    (folder / "scores.csv").write_text(grades(1))
    with ssh_server(folder, user_key=key) as server:
        auth = {"key": {"file": str(tmp_path / "key")}, "passphrase": {"file": str(tmp_path / "phrase")}}
        assert office.run(job(office, server, "scores.csv", auth=auth)).summary == {"read": 1, "inserted": 1}
        (tmp_path / "phrase").write_text("wrong")
        assert "the private key" in str(office.fails(job(office, server, "scores.csv", auth=auth)))


def test_an_unknown_server_is_refused_with_the_line_to_add(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    error = _fails(office, job(office, ssh, host_key=None))
    assert str(error) == f"127.0.0.1:{ssh.port} is not known here: it shows the key {ssh.fingerprint}"
    assert f"`host_key: {ssh.fingerprint}`" in error.hint
    assert error.hint.endswith(f"/.ssh/known_hosts: {ssh.known_line.strip()}")
    assert error.exit_code == 2


def test_a_server_in_the_file_of_known_hosts_is_trusted(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    (office.directory / "hosts").write_text(ssh.known_line)
    assert office.run(job(office, ssh, host_key=None, known_hosts="hosts")).summary == {"read": 1, "inserted": 1}


def test_a_server_in_the_accounts_own_known_hosts_is_trusted(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    own = Path.home() / ".ssh/known_hosts"
    own.parent.mkdir()
    own.write_text(ssh.known_line)
    assert office.run(job(office, ssh, host_key=None)).summary == {"read": 1, "inserted": 1}


@pytest.mark.parametrize("known", ["pinned", "known_hosts"])
def test_a_changed_key_is_refused_loudly_and_nothing_is_sent(office: Office, ssh: SshServer, known: str) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    other = asyncssh.generate_private_key("ssh-ed25519")
    line = f"[127.0.0.1]:{ssh.port} {other.export_public_key().decode()}"
    (office.directory / "hosts").write_text(line)
    named = {"host_key": other.get_fingerprint()} if known == "pinned" else {"host_key": None, "known_hosts": "hosts"}
    error = _fails(office, job(office, ssh, **named))
    assert "IS NOT WHO IT WAS" in str(error)
    assert ssh.fingerprint in str(error)
    assert other.get_fingerprint() in str(error)
    assert error.exit_code == 2


def test_a_file_that_is_not_there_is_missing(office: Office, ssh: SshServer) -> None:
    error = _fails(office, job(office, ssh))
    assert str(error) == f"missing: {ssh.url('out/scores.csv')}: there is no such file."
    assert error.exit_code == 5
    assert str(_fails(office, job(office, ssh, "out/a*.csv"))).startswith("missing: no file fits")
    assert str(_fails(office, job(office, ssh, "nowhere/a*.csv"))).startswith("missing: ")


def test_a_connection_that_is_cut_in_the_middle_leaves_nothing_half(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(200_000))
    ssh.faults.cut_after = 1_000_000
    error = _fails(office, job(office, ssh))
    assert str(error).startswith(ssh.url("out/scores.csv"))
    assert error.exit_code == 5
    assert list((office.directory / "run1").iterdir()) == []
    ssh.faults.cut_after = None
    assert office.run(job(office, ssh), row_limit=1, again=office.directory / "run1").summary == {
        "read": 1,
        "inserted": 1,
    }


def test_a_server_that_stands_still_is_given_up(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    ssh.faults.stand_still = True
    error = _fails(office, job(office, ssh, timeout="3s"))
    assert str(error) == f"{ssh.url('out/scores.csv')}: nothing came for 3 s."
    assert error.exit_code == 5


def test_who_stops_the_run_need_not_wait_for_the_server(office: Office, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(grades(1))
    ssh.faults.stand_still = True
    asked: list[int] = []
    ssh.faults.on_read = lambda: asked.append(1)
    error = office.fails(job(office, ssh), stopping=lambda: bool(asked))
    assert error.exit_code == 130


def test_a_file_that_changes_while_it_is_copied_is_copied_anew(office: Office, ssh: SshServer) -> None:
    path = ssh.folder / "out/scores.csv"
    path.write_text(grades(1))
    reads: list[int] = []

    def write_on() -> None:
        reads.append(1)
        if len(reads) == 1:
            path.write_text(grades(2))

    ssh.faults.on_read = write_on
    assert office.run(job(office, ssh)).summary == {"read": 2, "inserted": 2}


def test_a_file_that_always_changes_is_growing(office: Office, ssh: SshServer) -> None:
    path = ssh.folder / "out/scores.csv"
    path.write_text(grades(1))
    ssh.faults.on_read = lambda: path.write_text(path.read_text() + "101,Cooking,A\n") and None
    error = _fails(office, job(office, ssh))
    assert str(error) == f"growing: {ssh.url('out/scores.csv')} changes while it is copied"


def test_nobody_listens(office: Office, ssh: SshServer) -> None:
    options = job(office, SshServer(ssh.folder, 1, ssh.key))
    error = _fails(office, options)
    assert error.exit_code == 5
    assert "Connect call failed" in str(error) or "refused" in str(error)
