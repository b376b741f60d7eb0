"""What a service that speaks S3 says no with, in our words: its status, and the code in its answer."""

import re

from idms_cli.config.foreign import shortened
from idms_cli.delivery.uploads.address import Folder
from idms_cli.delivery.uploads.uploading import ONCE_MORE
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, LoginRefused, Unreachable
from idms_cli.remote.patience import Patience
from idms_cli.remote.s3 import ASKED_FOR_A_ROLE, GIVE_A_KEY

REASON = 160
MAY_PASS = (408, 409, 429)

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]{1,60})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")
_WRONG_KEY = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"})
_FULL = re.compile("quota|storage ?full|insufficient ?storage", re.IGNORECASE)
_SILENT = re.compile("(?<!_)timed? ?out", re.IGNORECASE)


def translated(error: Exception, what: str, where: Folder, patience: Patience) -> IdmsError:
    """For an error of obstore; `what` was asked for."""
    text = str(error)
    code = _found(_CODE, text)
    if ASKED_FOR_A_ROLE in text:
        return LoginRefused(f"{what}: there is no access key for it", hint=GIVE_A_KEY)
    if "redirect" in text.casefold():
        return InputError(f"{what}: the bucket is in another region", hint="Say which in `region:`.")
    if code == "NoSuchBucket" or status_of(error) == 404:
        return Unreachable(f"there is no bucket {where.host}", hint="Correct `to:`, or `endpoint:` and `region:`.")
    reason = f"{code}: {_found(_MESSAGE, text)}" if code else _first_line(text)
    return _refusal(what, status_of(error), code, reason) or _failure(what, text, reason, patience)


def status_of(error: Exception) -> int | None:
    """Of the answer; None when there was none."""
    found = _found(_STATUS, str(error))
    return int(found) if found else None


def _refusal(what: str, status: int | None, code: str, reason: str) -> IdmsError | None:
    if code in _WRONG_KEY or status == 401:
        hint = "Check `auth:` in the step, and whether the key is still valid."
        return LoginRefused(f"{what}: the service refuses this access key: {reason}", hint=hint)
    if _FULL.search(reason) or status == 507:
        hint = f"Have room made there, or the quota raised; {ONCE_MORE}"
        return DeliveryRefused(f"{what}: the service does not take it: {reason}", hint=hint)
    if status == 403:
        hint = "The access key needs s3:PutObject (and s3:AbortMultipartUpload) for this prefix of the bucket."
        return DeliveryRefused(f"{what}: that is not allowed: {reason}", hint=hint)
    if status is not None and 400 <= status < 500 and status not in MAY_PASS:
        return DeliveryRefused(f"{what}: the service does not take it: {reason}", hint="Its words say what it wants.")
    return None


def _failure(what: str, text: str, reason: str, patience: Patience) -> Unreachable:
    if _SILENT.search(text):
        hint = f"Is the service overloaded? {patience.key} says how long it may be silent."
        return Unreachable(f"{what}: nothing came for {patience.silence_s:g} s.", hint=hint)
    hint = "Is the service up, and are `endpoint:` and `region:` right?"
    return Unreachable(f"{what}: {reason}.", hint=hint)


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return shortened(found[1], REASON).rstrip(".") if found else ""


def _first_line(text: str) -> str:
    """What went wrong, without the address, which is told already."""
    line = text.partition("\n")[0]
    return shortened(line.partition(" - ")[2] or line, REASON).rstrip(".")
