"""SQL: the slots of upstreams that the jobs after them have not answered to. Kept light: an idle tick loads this.

A slot may have a run of each of several files. It is over when all of them are, and the worst of them counts; one that
found nothing new is left out, unless all were like that.
"""

OVER = """
(r.id IS NULL OR r.status NOT IN ('pending', 'running', 'interrupted', 'held') AND NOT EXISTS (
  SELECT 1 FROM run b WHERE b.batch = r.batch AND b.status IN ('pending', 'running', 'interrupted', 'held')))"""
WORST = """
coalesce((SELECT b.id FROM run b WHERE b.batch = r.batch
          ORDER BY instr('failed cancelled partial completed skipped', b.status), b.id LIMIT 1), r.id)"""
ENDED = "coalesce((SELECT max(b.ended_at) FROM run b WHERE b.batch = r.batch), r.ended_at, u.decided_at)"
UNANSWERED = """
FROM job j JOIN slot u ON u.job = j.upstream AND u.due > j.decided_until
LEFT JOIN slot d ON d.job = j.name AND d.due = u.due
LEFT JOIN run r ON r.id = u.run"""
WHERE = "WHERE j.upstream <> '' AND d.job IS NULL"
READY = f"SELECT DISTINCT j.name {UNANSWERED} {WHERE} AND {OVER}"
OF_JOB = f"""
SELECT u.due, u.until, u.verdict, u.reason, w.status, w.reason AS run_reason, {OVER} AS is_over, {ENDED} AS over_at
{UNANSWERED} LEFT JOIN run w ON w.id = {WORST} {WHERE} AND j.name = ? ORDER BY u.due"""
