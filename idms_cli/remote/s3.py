"""A bucket of Amazon S3, or of a service that speaks as it does: opened, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore import exceptions
from obstore.store import S3Store

from idms_cli.config.foreign import shortened
from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.errors import LoginRefused, Unreachable

CONNECT_TIMEOUT = "10s"
RETRIES = 3
DEFAULT_REGION = "us-east-1"
MESSAGE = 200
ASKED_FOR_A_ROLE = "/latest/api/token"
"""Where a machine of Amazon's is asked for its role's key, when none was given."""
GIVE_A_KEY = (
    "Give `auth: {access_key: {env: NAME}, secret_key: {env: NAME}}`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or give this machine a role."
)

UNUSED_PROXY = "http://127.0.0.1:9"
"""A proxy that is named, and left out for every host, keeps obstore from taking one from the environment."""


@dataclass(frozen=True)
class Service:
    """Where a bucket is, and with which key it is opened. What is not named comes from the environment, or from the
    machine's own role."""

    bucket: str
    directory: Path
    """Where relative paths start."""
    timeout: timedelta
    """For one request."""
    endpoint: str | None = None
    region: str | None = None
    access_key: SecretSource | None = None
    secret_key: SecretSource | None = None
    session_token: SecretSource | None = None


def open_bucket(service: Service) -> S3Store:
    """Asks nobody yet. Raises `InputError` for a secret that cannot be had."""
    return S3Store(
        service.bucket,
        config=_config(service),
        client_options={
            "allow_http": True,  # `endpoint:` lets http through to this machine only
            "connect_timeout": CONNECT_TIMEOUT,
            "proxy_url": UNUSED_PROXY,
            "proxy_excludes": "*,0.0.0.0/0,::/0",
            "timeout": service.timeout,
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": service.timeout},
    )


def _config(service: Service) -> Any:
    def secret(source: SecretSource | None) -> str | None:
        return None if source is None else resolve(source, service.directory).reveal()

    named = {
        "endpoint": service.endpoint,
        "region": service.region or (DEFAULT_REGION if service.endpoint else None),
        "access_key_id": secret(service.access_key),
        "secret_access_key": secret(service.secret_key),
        "session_token": secret(service.session_token),
    }
    return {key: value for key, value in named.items() if value is not None}


@contextmanager
def translated(what: str, *, place: str) -> Iterator[None]:
    """Failures of obstore in our words. `place` is where the keys stand, for hints: "`source:`"."""
    try:
        yield
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise LoginRefused(
            f"{what}: the service refuses this access key",
            hint=f"Check `auth:` in {place}, and what the key may do in this bucket.",
        ) from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise Unreachable(f"missing: {what} is not there", hint="Check the names of bucket and object.") from error
    except exceptions.BaseError as error:
        if ASKED_FOR_A_ROLE in str(error):
            raise LoginRefused(f"{what}: there is no access key for it", hint=GIVE_A_KEY) from error
        if "NoSuchBucket" in str(error):
            raise Unreachable(f"missing: {what}: there is no such bucket", hint="Check its name.") from error
        reason = shortened(str(error).partition("\n")[0], MESSAGE).rstrip(".")
        hint = "Is the service up, and are `endpoint:` and `region:` right?"
        raise Unreachable(f"{what}: {reason}.", hint=hint) from error
