"""SQL: the slots of upstreams that the jobs after them have not answered to. Kept light: an idle tick loads this."""

OVER = "(r.id IS NULL OR r.status NOT IN ('pending', 'running', 'interrupted', 'held'))"
UNANSWERED = """
FROM job j JOIN slot u ON u.job = j.upstream AND u.due > j.decided_until
LEFT JOIN slot d ON d.job = j.name AND d.due = u.due
LEFT JOIN run r ON r.id = u.run
WHERE j.upstream <> '' AND d.job IS NULL"""
READY = f"SELECT DISTINCT j.name {UNANSWERED} AND {OVER}"
OF_JOB = f"""
SELECT u.due, u.until, u.verdict, u.reason, r.status, r.reason AS run_reason, {OVER} AS is_over,
       coalesce(r.ended_at, u.decided_at) AS over_at
{UNANSWERED} AND j.name = ? ORDER BY u.due"""
