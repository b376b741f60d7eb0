"""What the end of a step means for the steps after it."""

from dataclasses import dataclass

from idms_cli.modules.steps import FAILED, HELD, SUCCEEDED, Goto, Step
from idms_cli.modules.workflows.notes import Note


@dataclass(frozen=True)
class Ending:
    """How a list of steps ends before its last one."""

    status: str
    reason: str
    hint: str = ""
    exit_code: int = 0


def consequence(step: Step, note: Note) -> tuple[str, Ending | None]:
    """Where the list goes on: a jump, or an ending; neither for the next step."""
    if note.status == FAILED:
        return _of_failure(step, note)
    match note:
        case Note(status="held"):
            return "", Ending(HELD, f"step {step.name}: {note.reason}", note.hint, note.exit_code)
        case Note(then="succeed"):
            return "", Ending(SUCCEEDED, f"ended by step {step.name}: {note.reason}")
        case Note(then="fail"):
            return "", Ending(FAILED, f"step {step.name}: {note.reason}", note.hint, note.exit_code or 1)
    return note.jump, None


def _of_failure(step: Step, note: Note) -> tuple[str, Ending | None]:
    reason = f"step {step.name}: {note.reason}"
    match step.options.on_error:
        case "ignore":
            return "", None
        case "succeed":
            return "", Ending(SUCCEEDED, f"{reason} (on_error: succeed)")
        case Goto() as jump:
            return jump.goto, None
    return "", Ending(FAILED, reason, note.hint, note.exit_code or 1)
