"""A step waits, and ends at once when it is stopped or its time is over."""

from idms_cli.errors import Interrupted
from idms_cli.modules.steps import StepContext

LOOK_EVERY_S = 0.2


def pause(context: StepContext, seconds: float) -> None:
    """Wait by the run's clock. Raises `Interrupted`, also for no seconds at all."""
    clock = context.run.clock
    end = clock.ticks() + seconds
    while True:
        if context.run.stopping():
            raise Interrupted("the run was stopped")
        left = end - clock.ticks()
        if left <= 0:
            return
        clock.sleep(min(LOOK_EVERY_S, left))
