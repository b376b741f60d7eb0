"""How long a server is waited for, and what is said of one that is silent for longer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from idms_cli.errors import Interrupted, Unreachable

LOOK_EVERY_S = 0.25
"""How soon it is seen that the run is to end."""
MOMENT_S = 5.0


@dataclass(frozen=True)
class Patience:
    """How long a server may say nothing."""

    silence_s: float
    key: str
    """Where that is said, for hints: "`timeout:` in `source:`"."""
    stopping: Callable[[], bool]
    """Whether to give up, because the run is to end."""

    grace_s: float = 0.0
    """How much silence is borne even then."""

    def check(self, silent_s: float, what: str) -> None:
        """Raises `Interrupted` when the run is to end, and `Unreachable` when the server was silent for too long."""
        if silent_s >= self.grace_s and self.stopping():
            raise Interrupted("the run was stopped")
        if silent_s >= self.silence_s:
            raise Unreachable(
                f"{what}: nothing came for {self.silence_s:g} s.",
                hint=f"Is the server overloaded? {self.key} says how long it may be silent.",
            )

    def to_the_end(self) -> "Patience":
        """For what takes a moment and is better not left half done."""
        return replace(self, grace_s=MOMENT_S)
