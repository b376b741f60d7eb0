"""Keys of a step to a web server that are each right by themselves, but not together."""

from idms_cli.delivery import BadStep
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.texts import Template

_OF_MODES = {"each": {"row", "record"}, "batch": {"batch", "rows"}, "file": {"file", "rows", "batch"}}
"""What templates see beside the values of the run."""


def refuse_misfits(options: WebOptions) -> None:
    """Raises `BadStep`."""
    if options.each and options.batch:
        raise BadStep(("batch",), "`batch:` and `each:` are two ways to cut rows", hint="Write one of them.")
    _refuse_packing(options)
    _refuse_names(options)
    _refuse_sameness(options)
    _refuse_headers(options)


def _refuse_packing(options: WebOptions) -> None:
    if options.each or options.batch:
        for key in ("compress", "encrypt", "sign"):
            if getattr(options, key) is not None:
                hint = "Leave it out, or send the whole file in one request."
                raise BadStep((key,), f"`{key}:` is for whole files, and here rows are sent", hint=hint)


def _refuse_names(options: WebOptions) -> None:
    mode = "each" if options.each else "batch" if options.batch else "file"
    foreign = set().union(*_OF_MODES.values()) - _OF_MODES[mode]
    for key, names in _templates(options).items():
        for name in sorted(names & foreign):
            where = next(word for word, known in _OF_MODES.items() if name in known)
            hint = "Say `each: true` for a request for each row." if where == "each" else ""
            raise BadStep(key, f"there is no `{name}` here", hint=hint)


def _refuse_sameness(options: WebOptions) -> None:
    """Requests that ought to differ and could not."""
    key = options.idempotency_key
    differs = {"row", "record"} if options.each else {"batch"}
    if isinstance(key, Template) and (options.each or options.batch) and not key.names & differs:
        hint = f"Put {{{{ {'row.ID' if options.each else 'batch'} }}}} into it, or write `idempotency_key: true`."
        raise BadStep(("idempotency_key",), "each request would have the same key, so only the first counts", hint=hint)
    told = set().union(*_templates(options).values())
    if options.each and not options.wants_files and not told & differs:
        hint = "Put {{ row.ID }} into the address, or say `format:`."
        raise BadStep(("each",), "nothing of the row would be in its request", hint=hint)
    if options.batch and not options.wants_files:
        raise BadStep(("batch",), f"nothing of the rows would be in a {options.method}", hint="Say `format:`.")


def _refuse_headers(options: WebOptions) -> None:
    given = {name.casefold() for name in options.headers}
    key = options.idempotency_key is not None
    set_by_us = {
        ("idempotency_header",): options.idempotency_header if key else None,
        ("auth", "header"): options.auth.header if options.auth else None,
    }
    for place, name in set_by_us.items():
        if name and name.casefold() in given:
            raise BadStep(place, f"the header {name} is under `headers:` too", hint="Write it in one of the two.")
    if not key and "idempotency_header" in options.model_fields_set:
        raise BadStep(("idempotency_header",), "there is no key to send", hint="Say `idempotency_key:` too.")


def _templates(options: WebOptions) -> dict[tuple[str, ...], frozenset[str]]:
    """The values that each template wants, by its place in the step."""
    found: dict[tuple[str, ...], frozenset[str]] = {("to",): options.to.names}
    found |= {("headers", name): template.names for name, template in options.headers.items()}
    if isinstance(options.idempotency_key, Template):
        found["idempotency_key",] = options.idempotency_key.names
    return found
