"""Keys of a step to a web server that are each right by themselves, but not together."""

from collections.abc import Sequence

from idms_cli.delivery import BadStep
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.texts import Template
from idms_cli.templates.moments import OCCASION
from idms_cli.templates.texts import NotAText

_OF_MODES = {"each": {"row", "record"}, "batch": {"batch", "count"}, "file": {"file", "count"}}
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
    known = [*OCCASION, *sorted(_OF_MODES[mode])]
    for key, templates in _templates(options).items():
        for template in templates:
            try:
                template.refuse_unknown(known)
            except NotAText as error:
                of_each = mode != "each" and template.names & _OF_MODES["each"]
                hint = "Say `each: true` for a request for each row." if of_each else error.hint
                raise BadStep(key, str(error), hint=hint) from None


def _refuse_sameness(options: WebOptions) -> None:
    """Requests that ought to differ and could not."""
    key = options.idempotency_key
    differs = {"row", "record"} if options.each else {"batch"}
    if isinstance(key, Template) and (options.each or options.batch) and not key.names & differs:
        hint = f"Put {{{{ {'row.ID' if options.each else 'batch'} }}}} into it, or write `idempotency_key: true`."
        raise BadStep(("idempotency_key",), "each request would have the same key, so only the first counts", hint=hint)
    told = {name for templates in _templates(options).values() for template in templates for name in template.names}
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


def _templates(options: WebOptions) -> dict[tuple[str, ...], Sequence[Template]]:
    """By their place in the step."""
    found: dict[tuple[str, ...], Sequence[Template]] = {("to",): options.to.templates}
    found |= {("headers", name): [template] for name, template in options.headers.items()}
    if isinstance(options.idempotency_key, Template):
        found["idempotency_key",] = [options.idempotency_key]
    return found
