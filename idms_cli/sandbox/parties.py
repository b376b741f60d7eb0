"""The site's persons and organizations."""

import json

from idms_cli.sandbox.definitions import PARTY
from idms_cli.sandbox.exchange import Json
from idms_cli.sandbox.party_shape import flat
from idms_cli.sandbox.tables import Table

FIRST_ID = 101


class Parties:
    """All parties, found by ID or by any of `PARTY`'s properties. Not thread-safe: the site holds its lock."""

    def __init__(self) -> None:
        self.table = Table(PARTY)
        self._bodies: dict[str, str] = {}
        """As JSON text: small, and nobody can change a stored party by accident."""
        self._next_id = FIRST_ID

    def __len__(self) -> int:
        return len(self._bodies)

    def exists(self, party_id: str) -> bool:
        """Whether there is such a contact."""
        return party_id in self._bodies

    def get(self, party_id: str) -> Json | None:
        """A party's own copy, or None."""
        text = self._bodies.get(party_id)
        if text is None:
            return None
        body: Json = json.loads(text)
        return body

    def new_id(self) -> str:
        """One more than the highest ID so far."""
        return str(self._next_id)

    def put(self, party: Json) -> None:
        """Store a whole party under its `Id`."""
        party_id = str(party["Id"])
        self.table.put(flat(party))
        self._bodies[party_id] = json.dumps(party)
        self._next_id = max(self._next_id, int(party_id) + 1)

    def remove(self, party_id: str) -> None:
        """Forget a party that is there."""
        self.table.remove((party_id,))
        del self._bodies[party_id]

    def all(self) -> list[Json]:
        """Copies of all parties, in order."""
        return [json.loads(text) for text in self._bodies.values()]
