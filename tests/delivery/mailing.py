"""One step that sends a mail, delivered as a transfer would."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import BadStep, Cargo, Receipt
from idms_cli.errors import IdmsError
from tests.delivery.cargo import delivery, destination
from tests.delivery.postoffice import PASSWORD, USER, PostOffice

OPS, ZOE = "ops@example.org", "zoe@example.net"
DONE = {OPS: "done", ZOE: "done"}


@dataclass
class Mailing:
    """A step to a mail server, and the folder in which it goes on."""

    office: PostOffice
    directory: Path
    log: list[str] = field(default_factory=list)

    def step(self, *, server: dict[str, Any] | None = None, **keys: Any) -> str:
        """As in a job file. JSON is YAML."""
        login = {"user": USER, "password": self.secret(PASSWORD)}
        given = {
            "to": {"mail": [OPS, ZOE]},
            "from": "Members <members@example.org>",
            "server": {**self.office.keys, **login, **(server or {})},
            **keys,
        }
        given["server"] = {key: value for key, value in given["server"].items() if value is not None}
        return json.dumps({key: value for key, value in given.items() if value is not None})

    def deliver(self, cargo: Cargo, **keys: Any) -> Receipt:
        values = keys.pop("values", None)
        stopping = keys.pop("stopping", lambda: False)
        made = destination(self.step(**keys), self.directory)
        return made.deliver(cargo, delivery(self.directory, told=self.log, values=values, stopping=stopping))

    def fails(self, cargo: Cargo, **keys: Any) -> IdmsError:
        try:
            receipt = self.deliver(cargo, **keys)
        except IdmsError as error:
            return error
        raise AssertionError(f"it was delivered: {receipt}")

    def refused(self, **keys: Any) -> str:
        """What is said of a step that cannot be."""
        try:
            destination(self.step(**keys), self.directory)
        except ProblemsFound as found:
            return "; ".join(problem.message for problem in found.problems)
        except BadStep as bad:
            return f"{'.'.join(map(str, bad.key))}: {bad}"
        raise AssertionError("the step is right")

    def secret(self, text: str) -> dict[str, str]:
        path = self.directory / f"secret{len(list(self.directory.glob('secret*')))}"
        path.write_text(text)
        path.chmod(0o600)
        return {"file": str(path)}

    def states(self) -> dict[str, str]:
        """Of each recipient, as the step's folder has it; empty when it has none."""
        path = self.directory / "step" / "mail.json"
        content = json.loads(path.read_bytes()) if path.exists() else {"recipients": {}}
        return {address: one["state"] for address, one in content["recipients"].items()}
