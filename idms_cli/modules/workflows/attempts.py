"""One step and its tries: noted before each, broken off when its time is over, its failure told in one sentence."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from idms_cli.config.durations import format_duration
from idms_cli.config.secrets import mask
from idms_cli.errors import IdmsError, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.modules import RunContext
from idms_cli.modules.deadline import GRACE_S, BrokenOff, Deadline, within
from idms_cli.modules.steps import FAILED, HELD, REHEARSED, STEPS, Goto, StepContext, StepResult
from idms_cli.modules.workflows.flow import Flow, Place, Turn
from idms_cli.modules.workflows.notes import Note, facts_of, failed
from idms_cli.modules.workflows.views import NotKnown

LOOK_EVERY_S = 0.2

MakeContext = Callable[[Turn, RunContext], StepContext]


class Attempts:
    """See the module."""

    def __init__(self, flow: Flow, place: Place, turn: Turn, context: MakeContext) -> None:
        self._flow = flow
        self._place = place
        self._turn = replace(turn, deadline=Deadline(turn.step.options.timeout))
        self._context_of = context

    def run(self, note: Note) -> Note:
        """How it ended. Raises `Interrupted`; `Unreachable` where the whole run is tried again; `OSError`."""
        approved = note.approved or (note.status == HELD and self._flow.approved)
        note = replace(note, approved=approved)
        tried, retry = 0, self._turn.step.options.retry
        while True:
            tried += 1
            note = replace(note, status="running", attempts=note.attempts + 1, reason="", hint="", exit_code=0)
            note = self._note(note)
            try:
                result = self._attempt(note, is_last=retry.delay_s(tried) is None and not self._is_tried_later)
                return self._end(note, result)
            except Interrupted:
                raise
            except Unreachable as error:
                delay_s = retry.delay_s(tried)
                if delay_s is not None and not self._turn.deadline.is_over:
                    note = self._note(replace(note, reason=mask(str(error)), hint=mask(error.hint)))
                    self._wait(error, delay_s)
                    continue
                if self._is_tried_later:
                    self._note(replace(note, reason=mask(str(error)), hint=mask(error.hint)))
                    raise Unreachable(f"step {self._turn.path}: {error}", hint=error.hint) from error
                return self._fail(note, error)
            except IdmsError as error:
                return self._fail(note, error)

    @property
    def _is_tried_later(self) -> bool:
        """The failure would end the run, and the job's own `retry:` is not used up."""
        is_last = self._turn.step.options.on_error == "fail"
        return is_last and self._flow.context.tries_again and not self._turn.deadline.is_over

    def _attempt(self, note: Note, *, is_last: bool) -> StepResult:
        deadline, run = self._turn.deadline, self._flow.context
        ours = replace(run, stopping=deadline.also(run.stopping), log=self._log)
        context = replace(
            self._context_of(self._turn, ours),
            attempt=note.attempts,
            approved=note.approved,
            tries_again=not is_last and not run.dry_run,
        )
        action = self._turn.step.action
        grace_s = 0.0 if STEPS[self._turn.step.kind].is_inward else GRACE_S
        try:
            with within(deadline, grace_s=grace_s):
                return action.rehearse(context) if run.dry_run else action.run(context)
        except BrokenOff:
            raise took_too_long(self._turn.step.options.timeout, broken_off=grace_s > 0) from None
        except Interrupted:
            if deadline.is_over and not run.stopping():
                raise took_too_long(self._turn.step.options.timeout) from None
            self._note(replace(note, status="cancelled", reason="the run was stopped"))
            raise
        except NotKnown as untold:
            return StepResult(status=REHEARSED, reason=f"{untold}", unknown=True)
        except (IdmsError, OSError, sqlite3.Error):
            raise
        except Exception as bug:
            self._note(replace(note, status=FAILED, reason=f"a bug in idms: {type(bug).__name__}", exit_code=3))
            raise

    def _end(self, note: Note, result: StepResult) -> Note:
        facts = facts_of(result, self._flow.context.directory)
        facts |= {"reason": mask(result.reason), "hint": mask(result.hint)}
        ended = self._note(replace(note, **facts))
        jump = f", goes on at {result.then.goto}" if isinstance(result.then, Goto) else ""
        rows = f", {ended.counts['rows']:,} rows" if "rows" in ended.counts else ""
        why = f": {ended.reason}" if ended.reason else ""
        if self._place.told:  # of many items alike, what goes well is counted
            self._flow.context.log(f"step {self._turn.path}: {ended.status}{rows}{jump}{why}")
        return ended

    def _fail(self, note: Note, error: IdmsError) -> Note:
        ended = self._note(failed(note, error))
        self._flow.context.log(f"step {self._turn.path}: failed: {ended.reason}")
        return ended

    def _wait(self, error: Unreachable, delay_s: float) -> None:
        clock, left_s = self._flow.context.clock, self._turn.deadline.left_s(delay_s)
        self._log(f"{error}; tried again in {left_s:.0f} s")
        end = clock.ticks() + left_s
        while clock.ticks() < end:
            self._flow.look_for_stop()
            clock.sleep(min(LOOK_EVERY_S, max(end - clock.ticks(), 0)))

    def _note(self, note: Note) -> Note:
        noted = self._flow.note(self._turn, self._place, note)
        self._flow.progress()
        return noted

    def _log(self, text: str) -> None:
        self._flow.context.log(f"step {self._turn.path}: {text}")


def took_too_long(limit: timedelta | None, *, broken_off: bool = False) -> IdmsError:
    """The failure of a step whose time is over."""
    told = f"it took longer than {format_duration(limit)}" if limit else "it took too long"
    if broken_off:
        return OutcomeUnknown(f"{told} and had to be broken off: how far it came is not known")
    return IdmsError(told, hint="Give the step a longer `timeout:`, or less to do.")
