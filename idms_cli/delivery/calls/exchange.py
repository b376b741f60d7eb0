"""One request leaves once, with its login, and what comes back is judged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from idms_cli.delivery.calls.answers import kept
from idms_cli.delivery.calls.judging import Judge, Judgement, Sent
from idms_cli.delivery.calls.login import Login
from idms_cli.delivery.calls.requests import Request
from idms_cli.errors import IdmsError
from idms_cli.web.sending import Answer, Call, NoAnswer, Sender


@dataclass(frozen=True)
class Outcome:
    """What became of one request, and what is kept of the answer."""

    judgement: Judgement
    answer: str | None = None


class Exchange:
    """Sends requests of one step. Thread-safe."""

    def __init__(self, sender: Sender, login: Login, judge: Judge, fields: Sequence[str]) -> None:
        """`fields` of each answer are kept."""
        self._sender = sender
        self._login = login
        self._judge = judge
        self._fields = fields

    def cut(self) -> None:
        """End what is on its way, whatever becomes of it."""
        self._sender.cut()

    def send(self, request: Request, *, tries: int, came_again: bool) -> Outcome:
        """Raises nothing that the network or the server is to blame for."""
        judgement, answer = self.ask(request.call, tries=tries, came_again=came_again)
        if answer is None or judgement.state != "done" or not self._fields:
            return Outcome(judgement)
        return Outcome(judgement, kept(answer, self._fields))

    def ask(self, call: Call, *, tries: int, came_again: bool) -> tuple[Judgement, Answer | None]:
        """What becomes of a call, and all that was answered; as `send`."""
        sent = Sent(call, tries, came_again)
        try:
            answer = self._answer(call)
        except NoAnswer as error:
            return self._judge.of_silence(sent, error), None
        except IdmsError as error:  # no token, or no request at all: nothing has left
            return self._judge.unsent(sent, error), None
        return self._judge.of_answer(sent, answer, time.time()), answer

    def _answer(self, plain: Call) -> Answer:
        call, token = self._login.dress(plain)
        answer = self._sender.send(call)
        if answer.status != 401 or not self._login.renews:
            return answer
        again, _ = self._login.dress(plain, refused=token)  # it ended before its time; nothing was carried out
        return self._sender.send(again)
