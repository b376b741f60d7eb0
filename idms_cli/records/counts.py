"""What became of the rows of a run: numbers that must add up."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Counts:
    """Rows and records of a run; over: read + further = inserted + updated + deleted + unchanged + skipped + rejected.

    Each row counts once, for what became of its record; with `on_multiple: all` a row may have further records, which
    count as well.
    """

    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    further: int = 0
    """Records beyond the first that a row acts on."""
    left: int = 0
    """Planned and not yet written; 0 when the run is over, but for a dry run (what it would write)."""

    @property
    def records(self) -> int:
        """What the other numbers add up to."""
        return self.read + self.further

    @property
    def written(self) -> int:
        return self.inserted + self.updated + self.deleted

    @property
    def add_up(self) -> bool:
        """Nothing was lost."""
        return self.records == self.written + self.unchanged + self.skipped + self.rejected + self.left

    def after(self, word: str) -> "Counts":
        """One record less is left; it is `word` now."""
        return replace(self, left=self.left - 1, **{word: getattr(self, word) + 1})

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))

    @classmethod
    def of(cls, numbers: dict[str, int]) -> "Counts":
        names = {field.name for field in fields(cls)}
        return cls(**{name: number for name, number in numbers.items() if name in names})
