"""What the errors of PostgreSQL mean. https://www.postgresql.org/docs/current/errcodes-appendix.html"""

import re

import psycopg

from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.faults import words
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.task import AS_IT_WAS, Task
from idms_cli.errors import DeliveryRefused, IdmsError, LoginRefused, Unreachable

_RIGHTS = {"append": "INSERT", "replace": "INSERT, DELETE", "upsert": "SELECT, INSERT, UPDATE"}

_PREFIX = re.compile(
    r'(?:connection (?:failed|is bad): )?(?:connection to server (?:at|on socket) ".*?"(?:, port \d+)? failed: )?'
)
_LOGIN = re.compile(
    r"authentication failed|no pg_hba\.conf entry|pg_hba\.conf rejects|is not permitted to log in|"
    r'role ".*" does not exist|no password supplied|authentication method requirement|certificate authentication'
)
_NO_DATABASE = re.compile(r'database ".*" does not exist|permission denied for database')
_CERTIFICATE = re.compile(
    r"certificate verify failed|does not match host name|root certificate|certificate (?:has )?expired"
)
_NO_TLS = re.compile(r"does not support SSL")
_SAID = re.compile(r"failed: \w+:  ")
_BUSY = re.compile(
    r"too many|connection slots|starting up|shutting down|recovery mode|terminating|not (?:yet )?accepting"
)
_PASSING = ("08", "40", "57", "58", "25P03", "25P04", "53200", "53300", "55P03", "55006")
_WAITED = {"55P03": faults.locked, "57014": faults.too_slow}
_UNIQUE, _NO_VALUE, _FOREIGN, _CHECK = "23505", "23502", "23503", "23514"


def is_cut(error: Exception) -> bool:
    """Whether the server did not answer at all, or with its own end."""
    found = _own(error)
    return found is not None and (not found.sqlstate or found.sqlstate[:2] in ("08", "57"))


def explain(error: Exception, task: Task, target: Target | None, *, connected: bool, rows: str) -> IdmsError:
    """`rows` is the temporary table, whose name may stand for the real one's."""
    found = _own(error)
    if found is None:
        raise error
    if not connected:
        return _no_connection(found, task)
    state = found.sqlstate or ""
    if not state or state[:2] == "08":
        return faults.cut(task, (str(found).splitlines() or [""])[0])
    if state[:2] in ("22", "23", "P0"):
        return _data(found, task, target, rows)
    return _by_state(found, state, task, target)


def _own(error: Exception) -> psycopg.Error | None:
    """As psycopg raised it, whether or not SQLAlchemy stands in between."""
    inner = getattr(error, "orig", error)
    return inner if isinstance(inner, psycopg.Error) else None


def _no_connection(error: psycopg.Error, task: Task) -> IdmsError:
    text = str(error)
    said = words(_PREFIX.sub("", text.strip().splitlines()[0] if text.strip() else type(error).__name__))
    said = said.removeprefix("FATAL:").strip()
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        said = "not within the time limit"
    if _CERTIFICATE.search(text):
        return Unreachable(
            f"{task.shown}: the certificate of the server is not trusted: {said}.",
            hint="If it has a private authority, name its certificate in `ca_file:`.",
        )
    if _NO_TLS.search(text):
        return Unreachable(
            f"{task.shown}: the server speaks no TLS, so that anybody on the way could read and change the rows.",
            hint="Switch it on there (`ssl = on`), or write `tls: off` where the network itself is safe.",
        )
    if _NO_DATABASE.search(text):
        return DeliveryRefused(f"{task.shown}: {said}.", hint="Check the address in `to:`.")
    if _LOGIN.search(text) or _was_asked(error):
        return LoginRefused(
            f"{task.shown} refuses the login of {task.options.to.user}: {said}",
            hint="Check `auth:` of the step, and what pg_hba.conf of the server allows from here.",
        )
    return Unreachable(f"{task.shown}: no connection: {said}.", hint="Is the server up, and the address right?")


def _was_asked(error: psycopg.Error) -> bool:
    """Whether the server said no after it had the password, in whatever language: libpq does not tell its code."""
    used = error.pgconn is not None and getattr(error.pgconn, "used_password", False)
    return bool(used) and _SAID.search(str(error)) is not None and _BUSY.search(str(error)) is None


def _by_state(error: psycopg.Error, state: str, task: Task, target: Target | None) -> IdmsError:
    said = words(error.diag.message_primary or str(error))
    if state in _WAITED:
        return _WAITED[state](task)
    if state in ("53100", "53400"):
        return faults.no_space(task, said)
    if state.startswith(_PASSING):
        return Unreachable(f"{task.shown}: {said}. {AS_IT_WAS}", hint="This can pass: try again later.")
    hint = words(error.diag.message_hint or "") or "Show this to whoever keeps the database."
    if state == "42501":
        said, hint = f"not allowed: {said}", _grant(task, target, said)
    elif state == "25006":
        hint = "Is this a standby? Name the server that takes writes."
    detail = words(error.diag.message_detail or "")
    text = f"{said} ({detail})" if detail else said
    return DeliveryRefused(f"{task.shown}: table {task.table}: {text}. {AS_IT_WAS}", hint=hint)


def _grant(task: Task, target: Target | None, said: str) -> str:
    user = task.options.to.user
    if "temporary" in said:
        return f'GRANT TEMPORARY ON DATABASE "{task.options.to.database}" TO "{user}";'
    if target is None or not target.exists:
        return f'GRANT USAGE, CREATE ON SCHEMA "{(target and target.schema) or "public"}" TO "{user}";'
    name = ".".join(f'"{part}"' for part in (target.schema, target.name) if part)
    return f'GRANT {_RIGHTS[task.options.mode]} ON {name} TO "{user}";'


def _data(error: psycopg.Error, task: Task, target: Target | None, rows: str) -> DeliveryRefused:
    """A value that does not fit, or a rule of the table that is broken."""
    said, diag = words(error.diag.message_primary or str(error)), error.diag
    detail = "" if error.sqlstate == _NO_VALUE else words(diag.message_detail or "")
    reason = f"{said} ({detail})" if detail and error.sqlstate != _CHECK else said
    row, index = _place(diag.context or "", diag.column_name, target, rows)
    hint = {
        _UNIQUE: "Is it there already? `mode: upsert` writes over it; or a key is twice in the rows.",
        _FOREIGN: "Deliver the rows that it refers to first.",
        _CHECK: "The rule is the table's own: correct the rows, or the rule.",
        _NO_VALUE: "`add:` a value, or let the column be empty (DROP NOT NULL).",
    }.get(error.sqlstate or "")
    if row is None:
        text = f"{task.shown}: table {task.table}: {reason}. {AS_IT_WAS}"
        return DeliveryRefused(text, hint=hint or "Correct the rows, or the rule of the table.")
    if error.sqlstate == _NO_VALUE:
        reason = "the column needs a value"
    return faults.row_refused(task, row, index, reason, **({"hint": hint} if hint else {}))


def _place(context: str, column: str | None, target: Target | None, rows: str) -> tuple[int | None, int | None]:
    """The row, from 1, and which cell, from 0, COPY was at, from its context in whatever language.

    `COPY members, line 3, column paid: "x"`: in COPY's text format a line is a row.
    """
    line = next((line for line in context.splitlines() if line.startswith("COPY ") or " COPY " in line), "")
    for name in filter(None, (rows, target.name if target else "")):
        line = line.replace(f"COPY {name}", "COPY", 1)
    number = re.search(r"\d+", line)
    if number is None:
        return None, None
    before = line[number.end() :].partition(": ")[0].rstrip()
    names = [each.name for each in target.columns] if target else []
    named = column or max((name for name in names if before.endswith(f" {name}")), key=len, default="")
    return int(number.group()), names.index(named) if named in names else None
