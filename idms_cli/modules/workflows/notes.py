"""What is kept of a step in its folder: one small file, whole at any moment; what an interrupted run goes on by."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from idms_cli.config.replacing import replace_file
from idms_cli.config.secrets import mask
from idms_cli.errors import IdmsError, InputError
from idms_cli.modules.steps import FAILED, PARTIAL, REHEARSED, SUCCEEDED, Goto, StepResult

FILE_NAME = "step.json"
OVER = frozenset({"succeeded", "partial", "failed", "skipped", "rehearsed"})

CALLS = frozenset({"get", "post", "put", "delete", "token", "calls"})
"""Counts of calls of the site, which are counts of the run whatever step made them."""

LARGEST = 10_000_000
"""Bytes of an output; more is rows, which stay on disk."""

DEEPEST = 20
"""Levels; `idms show --data` shows fewer."""

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True)
class Note:
    """How a step stands, and what it gave."""

    status: str
    """running until it is over."""
    attempts: int = 0
    approved: bool = False
    """Somebody has seen what it was held for."""
    began_at: float | None = None
    ended_at: float | None = None
    reason: str = ""
    hint: str = ""
    exit_code: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    sums: bool = False
    output: Any = None
    shown: Any = None
    """The same as people may see it, where it has a secret in it that this run knows: an answer may echo a token."""
    rows: str = ""
    """Its spool, from the run's directory; empty for none."""
    then: str = ""
    """Of a gate: succeed, fail; or a step's name after `goto `."""
    unknown: bool = False

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def went_well(self) -> bool:
        return self.status in (SUCCEEDED, PARTIAL, REHEARSED)

    @property
    def jump(self) -> str:
        """Where a gate jumps to; empty for nowhere."""
        return self.then.removeprefix("goto ") if self.then.startswith("goto ") else ""


def failed(note: Note, error: IdmsError) -> Note:
    """A step that ends with this error."""
    reason, hint = mask(str(error)), mask(error.hint)
    return replace(note, status=FAILED, reason=reason, hint=hint, exit_code=error.exit_code)


def facts_of(result: StepResult, directory: Path) -> dict[str, Any]:
    """What a `Note` keeps of a result; `directory` is the run's. Raises `InputError` for one too large."""
    then = f"goto {result.then.goto}" if isinstance(result.then, Goto) else result.then
    try:
        size = len(_ENCODE(result.output))
    except (TypeError, ValueError) as wrong:
        raise InputError("its output is no JSON value") from wrong
    if size > LARGEST:
        hint = "Let it make rows, or keep only the parts that later steps want."
        raise InputError(f"its output has {size:,} bytes; {LARGEST:,} are kept", hint=hint)
    return {
        "status": result.status,
        "reason": result.reason,
        "hint": result.hint,
        "exit_code": result.exit_code,
        "counts": dict(result.counts),
        "sums": result.sums,
        "output": result.output,
        "shown": None if (shown := masked(result.output)) == result.output else shown,
        "rows": str(result.rows.relative_to(directory)) if result.rows else "",
        "then": then,
        "unknown": result.unknown,
    }


def masked(value: Any, depth: int = 0) -> Any:
    """A JSON value without the secrets that this process has seen; what lies deeper than anybody is shown stays."""
    if isinstance(value, str):
        return mask(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {mask(str(name)): masked(one, depth + 1) for name, one in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [masked(one, depth + 1) for one in value]
    return value


def write_note(folder: Path, note: Note) -> None:
    """On disk when it returns. Raises `OSError`."""
    replace_file(folder / FILE_NAME, _ENCODE(asdict(note)))


def read_note(folder: Path) -> Note | None:
    """None for a step that never began. Raises `OSError`, and `ValueError` for a file that is broken."""
    try:
        told = _DECODE((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as broken:
        raise ValueError(f"{folder / FILE_NAME} is broken") from broken
    for name in ("began_at", "ended_at"):
        told[name] = None if told[name] is None else float(told[name])
    return Note(**told)


def write_json(path: Path, value: Any) -> None:
    """A value, on disk when it returns."""
    replace_file(path, _ENCODE(value))


def read_json(path: Path) -> Any:
    """What `write_json` wrote: numbers with a point are decimals. Raises `FileNotFoundError`."""
    return _DECODE(path.read_bytes())


def as_plain_json(value: Any) -> str:
    """For people: indented, as it would be sent."""
    return json.dumps(json.loads(_ENCODE(value)), indent=2, ensure_ascii=False)
