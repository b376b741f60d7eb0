"""The daily digest: when it is due, its message is put into the outbox."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from idms_cli.config.settings import Settings
from idms_cli.history.store import Store

DAY_S = 86_400


def digest_if_due(store: Store, settings: Settings, now: datetime) -> None:
    """One message a day; of days on which nobody called run-due at the time, one for all of them."""
    planned, wanted = store.retention.digest_at, settings.digest
    if wanted is None:
        if planned is not None:
            store.retention.plan_digest(None)
        return
    following = next_moment(wanted.at, settings.timezone, now)
    if planned == following:
        return
    with store.database.together():
        if store.retention.digest_at != planned:
            return  # another tick was faster
        if planned is not None and planned <= now.timestamp():
            facts = {"since": planned - DAY_S, "until": planned}
            store.outbox.add(wanted.channels, "digest", "", facts, now.timestamp())
        store.retention.plan_digest(following)


def next_moment(at: time, zone: ZoneInfo, now: datetime) -> float:
    """The first moment after `now` at that time of day, UTC seconds; where the clocks skip it, just after that."""
    today = now.astimezone(zone).date()
    moments = (_moment(today + timedelta(days=days), at, zone) for days in range(3))
    return next(moment for moment in moments if moment > now.timestamp())


def _moment(day: date, at: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()
