"""What is known of a connection that lets nobody in: one small file for all processes, and when to try it again."""

import json
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from idms_cli.config.secrets import mask
from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.imis.statefiles import exclusive, file_stem, private_directory, replace_file, unusable
from idms_cli.imis.tokens import SecretRefused

FIRST_TRY_AFTER_S = 60.0
LONGEST_WAIT_S = {"down": 900.0, "refused": 300.0}
"""The distance between two tries doubles up to here. A refused login asks nothing of the site while its secret is the
same, so one may look more often."""

FOLDER = "connections"
NEWS = "untold"
"""A file that is there while the next tick has something to tell; an idle tick looks for it."""

Kind = Literal["down", "refused"]


@dataclass(frozen=True)
class Outage:
    """A site that cannot be reached, or that refuses the login. Times are UTC seconds."""

    kind: Kind
    since: float
    reason: str
    hint: str
    tries: int
    """How often it was tried in vain."""
    tried_at: float
    next_try: float
    back_at: float | None = None
    """When it was found to work again; its runs then start one after another."""
    told: bool = False
    """Whether a tick has told it to a person."""

    def is_time(self, now: float) -> bool:
        """Whether to try it again; also when the clock was set back."""
        return not self.tried_at <= now < self.next_try


class OutageFile:
    """The outage of one connection, or of none. Bound to its url and user name: another one of these starts afresh."""

    def __init__(self, state: Path, connection: str, *, url: str, username: str) -> None:
        self._whose = {"url": url, "username": username}
        self._directory = state / FOLDER
        stem = file_stem(connection)
        self._path = self._directory / f"{stem}.json"
        self._lock = self._directory / f"{stem}.lock"
        self._door = self._directory / f"{stem}.door"

    def door(self) -> AbstractContextManager[int]:
        """Held by one thread of all processes for as long as its first request lasts: minutes, if the site is down."""
        return exclusive(self._door)

    def read(self) -> Outage | None:
        """What the file holds, an outage that is over included; a file that makes no sense counts as none."""
        try:
            content = json.loads(self._path.read_bytes())
            if any(content[name] != value for name, value in self._whose.items()):
                return None
            return Outage(**content["outage"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(self._path, error) from error
        except (ValueError, KeyError, TypeError):
            return None

    def current(self) -> Outage | None:
        """The outage that keeps runs waiting now."""
        outage = self.read()
        return outage if outage and outage.back_at is None else None

    def failed(self, error: Unreachable | LoginRefused, now: float) -> None:
        """It was tried in vain."""
        kind: Kind = "refused" if isinstance(error, LoginRefused) else "down"
        with exclusive(self._lock):
            self._write(self._next(kind, error, now))

    def _next(self, kind: Kind, error: Unreachable | LoginRefused, now: float) -> Outage:
        old = self.current()
        same = old if old and old.kind == kind else None
        tries = same.tries + 1 if same else 1
        return Outage(
            kind=kind,
            since=old.since if old else now,
            reason=same.reason if same else mask(str(error)),
            hint=mask(error.hint),
            tries=tries,
            tried_at=now,
            next_try=_next_try(kind, tries, now),
            told=same is not None and same.told and not _is_new(error),
        )

    def put_off(self, now: float) -> None:
        """It could not even be tried."""
        with exclusive(self._lock):
            outage = self.current()
            if outage is None:
                return
            tries = outage.tries + 1
            self._write(replace(outage, tries=tries, next_try=_next_try(outage.kind, tries, now)))

    def works(self, now: float) -> None:
        """The site has answered."""
        if self.current() is None:
            return
        with exclusive(self._lock):
            outage = self.current()
            if outage:  # whoever heard that it is away wants to hear that it is back
                self._write(replace(outage, back_at=now, told=not outage.told))

    def tell(self) -> Outage | None:
        """What no tick has told yet; told with this."""
        with exclusive(self._lock):
            outage = self.read()
            if outage is None or outage.told:
                return None
            self._write(replace(outage, told=True))
        return outage

    def probing(self) -> Path:
        """The lock file of whoever tries the connection while its runs wait."""
        private_directory(self._directory)
        return self._path.with_suffix(".probe")

    def forget(self) -> None:
        """The outage is over, and its runs have started."""
        with exclusive(self._lock):
            outage = self.read()
            if outage and outage.back_at is not None and outage.told:
                self._path.unlink(missing_ok=True)

    def _write(self, outage: Outage) -> None:
        content: dict[str, Any] = {"version": 1, **self._whose, "outage": asdict(outage)}
        replace_file(self._path, json.dumps(content).encode())
        if not outage.told:
            (self._directory / NEWS).touch(mode=0o600)


def _is_new(error: LoginRefused | Unreachable) -> bool:
    """Whether the site has refused another secret than before."""
    return isinstance(error, SecretRefused) and error.site_was_asked


def _next_try(kind: Kind, tries: int, now: float) -> float:
    return now + min(FIRST_TRY_AFTER_S * 2.0 ** min(tries - 1, 10), LONGEST_WAIT_S[kind])


def has_news(state: Path) -> bool:
    """Whether some connection has something to tell."""
    return (state / FOLDER / NEWS).exists()


def no_news(state: Path) -> None:
    """Everything is being told."""
    with suppress(OSError):  # it would only be looked at once more
        (state / FOLDER / NEWS).unlink(missing_ok=True)
