"""One request leaves once, with its login, and what comes back is judged."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from idms_cli.delivery.calls.answers import kept
from idms_cli.delivery.calls.judging import Judge, Judgement, Sent
from idms_cli.delivery.calls.login import Login
from idms_cli.delivery.calls.requests import Request
from idms_cli.errors import IdmsError
from idms_cli.web.sending import Answer, NoAnswer, Sender


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
        sent = Sent(request.call, tries, came_again)
        try:
            answer = self._answer(request)
        except NoAnswer as error:
            return Outcome(self._judge.of_silence(sent, error))
        except IdmsError as error:  # no token, or no request at all: nothing has left
            return Outcome(self._judge.unsent(sent, error))
        judgement = self._judge.of_answer(sent, answer, time.time())
        keeps = judgement.state == "done" and self._fields
        return Outcome(judgement, kept(answer, self._fields) if keeps else None)

    def _answer(self, request: Request) -> Answer:
        call, token = self._login.dress(request.call)
        answer = self._sender.send(call)
        if answer.status != 401 or not self._login.renews:
            return answer
        again, _ = self._login.dress(request.call, refused=token)  # it ended before its time; nothing was carried out
        return self._sender.send(again)
