"""What a step to a database may say, and what is told of one that says it wrong."""

import sys
from pathlib import Path

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import BadStep
from idms_cli.delivery.sql.address import parse_database
from tests.delivery.cargo import destination

AUTH = "auth: {password: {env: X}}"


def told(to: str = "postgresql://feeds@db/crm", keys: str = "") -> tuple[str, str]:
    """Message and hint of the only thing that is wrong."""
    try:
        destination(f"{{to: '{to}', table: members, mode: append{keys}}}", Path("/srv"))
    except ProblemsFound as found:
        (problem,) = found.problems
        return problem.message, f"{problem.hint}{problem.value}"
    except BadStep as error:
        return str(error), error.hint
    pytest.fail("nothing was wrong")


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("postgresql://feeds:hunter2@db/crm", "a password does not belong in the address"),
        ("mysql://feeds@db/crm?ssl_passphrase=hunter2", "a password does not belong in the address"),
        ("postgresql://feeds@db/crm?password=hunter2", "this cannot follow the '?'"),
        ("postgresql://feeds@db/crm?host=/run/postgresql", "this cannot follow the '?'"),
        ("postgresql://db/crm", "the address names no user"),
        ("postgresql://feeds@db", "the address names no database"),
        ("postgresql://feeds@db/", "the address names no database"),
        ("postgresql://feeds@db/crm/members", "this is not the address of a database"),
        ("postgresql://feeds@db/crm#x", "this is not the address of a database"),
        ("postgresql://feeds@db:0/crm", "this is not the address of a database"),
        ("postgresql://feeds@db:x/crm", "this is no name of a server, or no port"),
        ("postgresql+asyncpg://feeds@db/crm", "postgresql is reached by the driver psycopg only"),
        ("mysql://feeds@/crm", "this is not the address of a database"),
        ("sqlite://members.db", "this names no file of SQLite"),
        ("sqlite:///", "a path is wanted here"),
        ("sqlite:///folder/", "this names no file of SQLite"),
        ("sqlite:///members.db?mode=rw", "this names no file of SQLite"),
        ("postgresql://feeds@d b/crm", "an address cannot have blanks or control characters in it"),
    ],
)
def test_an_address_that_is_none_is_told_without_a_secret(to: str, message: str) -> None:
    said, more = told(to)
    assert said == message
    assert "hunter2" not in said + more


def test_parts_of_an_address_may_be_escaped() -> None:
    address = parse_database("postgresql://fe%40eds@[::1]:5433/crm%20two")
    assert (address.user, address.host, address.port, address.database) == ("fe@eds", "::1", 5433, "crm two")
    assert address.shown == "postgresql://fe@eds@[::1]:5433/crm two"
    assert address.is_here
    assert not parse_database("postgresql://feeds@db/crm").is_here


@pytest.mark.parametrize(
    ("to", "keys", "message"),
    [
        ("postgresql://feeds@db/crm", ", key: [ID]", "`key:` means nothing for append"),
        ("postgresql://feeds@db/crm", ", delete_vanished: change", "`delete_vanished:` means nothing for append"),
        ("postgresql://feeds@db/crm", ", empty: allow", "`empty:` means nothing for append"),
        ("postgresql://feeds@db/crm", ", columns: {ID: text}", "`columns:` is for a table that idms makes"),
        ("postgresql://feeds@db/crm", ", tls: encrypt, ca_file: ca.pem", "nothing is verified with `tls: encrypt`"),
        ("postgresql://feeds@db/crm", ", format: csv", "the key 'format' is not known here"),
        ("postgresql://feeds@db/crm", ", lock_timeout: 0s", "the duration must be longer than 0s"),
        ("postgresql://feeds@db/crm", ", auth: {password: hunter2}", "a secret cannot stand here itself"),
        ("sqlite:///m.db", f", {AUTH}", "`auth:` means nothing for sqlite"),
        ("sqlite:///m.db", ", tls: verify", "`tls:` means nothing for sqlite"),
        ("sqlite:///m.db", ", statement_timeout: 1m", "`statement_timeout:` means nothing for sqlite"),
        (
            "postgresql://feeds@db/crm",
            ", create: true, columns: {ID: 'text); DROP TABLE x'}",
            "this cannot be the type of a column",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_told(to: str, keys: str, message: str) -> None:
    said, hint = told(to, keys)
    assert said == message
    assert hint
    assert "hunter2" not in hint


def test_an_upsert_needs_a_key_and_a_database_that_knows_upserts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadStep, match="upsert needs `key:`"):
        destination("{to: 'postgresql://feeds@db/crm', table: members, mode: upsert}", Path("/srv"))
    monkeypatch.setitem(sys.modules, "pymysql", sys)
    monkeypatch.setattr("idms_cli.delivery.sql.address.find_spec", lambda name: name)
    with pytest.raises(BadStep, match="there is no upsert for mysql"):
        destination("{to: 'mysql://feeds@db/crm', table: members, mode: upsert, key: [ID]}", Path("/srv"))


@pytest.mark.parametrize("name", ["members", "feeds.members", "crm.feeds.members", "Members 2026", "Müller"])
def test_a_table_may_have_any_usual_name(name: str) -> None:
    destination(f"{{to: 'postgresql://feeds@db/crm', table: '{name}', mode: append}}", Path("/srv"))


@pytest.mark.parametrize("name", ["", ".members", "a..b", 'a"b', "a.b.c.d", "[members]"])
def test_a_table_may_have_no_other_name(name: str) -> None:
    with pytest.raises(ProblemsFound):
        destination(f"{{to: 'postgresql://feeds@db/crm', table: '{name}', mode: append}}", Path("/srv"))


@pytest.mark.parametrize(
    ("scheme", "missing", "hint"),
    [
        ("postgresql", "psycopg", "pip install 'idms-cli[postgresql]'."),
        ("sqlite", "sqlalchemy", "pip install 'idms-cli[sql]'."),
        ("mysql", "pymysql", "pip install 'idms-cli[sql]'; pip install pymysql."),
        ("mssql", "pyodbc", "pip install 'idms-cli[sql]'; pip install pyodbc, and install Microsoft's ODBC driver."),
    ],
)
def test_a_driver_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, scheme: str, missing: str, hint: str
) -> None:
    monkeypatch.setattr("idms_cli.delivery.sql.address.find_spec", lambda name: None if name == missing else name)
    to = "sqlite:///m.db" if scheme == "sqlite" else f"{scheme}://feeds@db/crm"
    assert told(to) == (f"{scheme} cannot be reached here: what speaks with it is missing", hint)


def test_job_files_are_checked_without_sqlalchemy() -> None:
    import subprocess

    script = "import sys; sys.modules['sqlalchemy'] = sys.modules['psycopg'] = None\nimport idms_cli.delivery.database"
    subprocess.run([sys.executable, "-c", script], check=True)
