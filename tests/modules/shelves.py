"""Jobs that upsert into one kind of record each, their files, and where on the site to count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from idms_cli.sandbox import Sandbox

Cells = dict[str, str]
"""A row of a file: member, label, email, value."""


@dataclass(frozen=True)
class Shelf:
    """A job, and the records it writes."""

    job: str
    destination: str
    entity: str
    mapping: Mapping[str, str]
    """Property -> column of the file."""
    match: tuple[str, ...]
    value: str
    """The property that changes from file to file."""
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The job file."""
        mapped = {**self.mapping, **{name: f"{{value: {value}}}" for name, value in self.constants.items()}}
        return (
            f"module: import\nwith:\n  source: {{path: {self.job}.csv}}\n  destination: {self.destination}\n"
            f"  action: upsert\n  match: [{', '.join(self.match)}]\n"
            f"  map: {{{', '.join(f'{name}: {source}' for name, source in mapped.items())}}}\n"
        )

    def key(self, row: Mapping[str, str]) -> tuple[str, ...]:
        """What the site knows a row of the file by."""
        return tuple(row[self.mapping[name]] for name in self.match)

    def found(self, site: Sandbox) -> list[tuple[tuple[str, ...], str]]:
        """Key and value of every record on the site."""
        return [(tuple(str(row[name]) for name in self.match), str(row[self.value])) for row in site.rows(self.entity)]

    def changes(self, site: Sandbox) -> int:
        """How many writes changed something since the site began; the same PUT twice changes nothing."""
        return sum(write.entity == self.entity and write.summary != "nothing changed" for write in site.writes)

    def stock(self, site: Sandbox, members: Sequence[str]) -> list[Cells]:
        """Rows for what is on the site before the first file: contacts that are there, or records put there now."""
        emails = {str(row["ID"]): str(row["Email"]) for row in site.rows("Party")}
        rows = [{"member": member, "label": "Stock", "email": emails[member], "value": "0"} for member in members]
        if self.entity != "Party":
            records = [{name: row[column] for name, column in self.mapping.items()} for row in rows]
            site.add_rows(self.entity, [{**record, **self.constants} for record in records])
        return rows


SHELVES = (
    Shelf(
        "scores",
        "{panel: ABC_Scores}",
        "ABC_Scores",
        {"ID": "member", "Course": "label", "Score": "value"},
        ("ID", "Course"),
        "Score",
    ),
    Shelf(
        "activities",
        "activity",
        "Activity",
        {"PartyId": "member", "DESCRIPTION": "label", "UF_1": "value"},
        ("PartyId", "DESCRIPTION"),
        "UF_1",
        {"ACTIVITY_TYPE": "EDUC"},
    ),
    Shelf(
        "contacts",
        "contact",
        "Party",
        {"Email": "email", "FirstName": "value"},
        ("Email",),
        "FirstName",
        {"LastName": "Soak"},
    ),
)
