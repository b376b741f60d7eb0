"""Which definitions of a job have passed `idms test`."""

from idms_cli.history.database import Database

RECORD = """
INSERT INTO trial (job, digest, run, at) VALUES (?, ?, ?, ?)
ON CONFLICT (job, digest) DO UPDATE SET run = excluded.run, at = excluded.at"""
TAKE_BACK = "DELETE FROM trial WHERE job = ? AND digest = ?"
PASSED = "SELECT 1 FROM trial WHERE job = ? AND digest = ?"
ALL = "SELECT job, digest FROM trial"


class Trials:
    """The tests that passed, in the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, job: str, digest: str, run: int, now: float, *, passed: bool) -> None:
        """What the last test of this definition said is what counts."""
        with self._database.write() as connection:
            if passed:
                connection.execute(RECORD, (job, digest, run, now))
            else:
                connection.execute(TAKE_BACK, (job, digest))

    def has_passed(self, job: str, digest: str) -> bool:
        return self._database.connection.execute(PASSED, (job, digest)).fetchone() is not None

    def all(self) -> set[tuple[str, str]]:
        """Job and digest of each definition that has passed."""
        return {(row["job"], row["digest"]) for row in self._database.connection.execute(ALL)}
