"""`/_sandbox/...`: the sandbox's own endpoints, for tests, scripts and people. They need no token."""

from idms_cli.errors import InputError
from idms_cli.sandbox.exchange import Reply, Request, http_error
from idms_cli.sandbox.faults import FAULTS
from idms_cli.sandbox.site import Sandbox


def answer(site: Sandbox, request: Request) -> Reply:
    """Counts, writes, and the switches; a wrong name or value is a 400 that says so."""
    action = ACTIONS.get((request.method, "/".join(request.parts[1:]).lower()))
    if action is None:
        raise http_error(404, f"The sandbox has: {', '.join(f'{method} {name}' for method, name in ACTIONS)}.")
    try:
        return action(site, request)
    except InputError as error:
        raise http_error(400, f"{error} {error.hint}".strip()) from None


def _calls(site: Sandbox, _request: Request) -> Reply:
    return Reply(200, site.calls)


def _writes(site: Sandbox, request: Request) -> Reply:
    last = request.first("last")
    writes = site.writes[-int(last) :] if last.isascii() and last.isdigit() and int(last) else site.writes
    return Reply(200, [write._asdict() for write in writes])


def _faults(site: Sandbox, _request: Request) -> Reply:
    rates = site.faults.rates
    return Reply(200, {name: {"rate": rates.get(name, 0), "summary": fault.summary} for name, fault in FAULTS.items()})


def _set_faults(site: Sandbox, request: Request) -> Reply:
    for name, rate in _fields(request).items():
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            raise InputError(f"The rate of {name} is {rate!r}.", hint="Send a number from 0 to 1.")
        site.set_fault(name, rate)
    return _faults(site, request)


def _load(site: Sandbox, request: Request) -> Reply:
    fields = _fields(request)
    entity, rows = fields.get("entity"), fields.get("rows")
    if not isinstance(entity, str) or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError("Nothing was loaded.", hint='Send {"entity": "ABC_Scores", "rows": [{"ID": "101", ...}]}.')
    return Reply(200, {"entity": entity, "loaded": site.add_rows(entity, rows)})


def _reset(site: Sandbox, _request: Request) -> Reply:
    site.reset()
    return Reply(200, site.calls)


def _purge(site: Sandbox, _request: Request) -> Reply:
    site.tokens.revoke_all()
    return Reply(200, {"purged": True})


def _save(site: Sandbox, _request: Request) -> Reply:
    site.save()
    return Reply(200, {"saved": None if site.data is None else str(site.data)})


def _receive(site: Sandbox, request: Request) -> Reply:
    site.inbox.append(request.content)
    return Reply(201, {"received": len(site.inbox)})


def _inbox(site: Sandbox, _request: Request) -> Reply:
    return Reply(200, list(site.inbox))


def _fields(request: Request) -> dict[str, object]:
    if not isinstance(request.content, dict):
        raise InputError("The request body is not a JSON object.")
    return request.content


ACTIONS = {
    ("GET", "calls"): _calls,
    ("GET", "writes"): _writes,
    ("GET", "faults"): _faults,
    ("POST", "fault"): _set_faults,
    ("POST", "load"): _load,
    ("POST", "reset"): _reset,
    ("POST", "purge"): _purge,
    ("POST", "save"): _save,
    ("POST", "inbox"): _receive,
    ("GET", "inbox"): _inbox,
}
"""What the sandbox's own endpoints are. To add one: a function above and one line here."""
