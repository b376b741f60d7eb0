"""SQL: the messages that may be sent now. Kept light: an idle tick loads this."""

FIRST = """NOT EXISTS (
  SELECT 1 FROM message AS other INDEXED BY message_open
  WHERE other.channel = this.channel AND other.id < this.id AND other.job = this.job
    AND other.state IN ('waiting', 'sending', 'handed') AND other.state = 'waiting')"""
"""Messages about one job go in their order: one that is put off keeps the next ones back.

Left to itself, SQLite looks for it among all messages there ever were."""
UNSENT = f"""
FROM message AS this
WHERE state IN ('waiting', 'sending', 'handed') AND (state <> 'waiting' OR next_at <= :now AND {FIRST})"""
READY = f"SELECT 1 {UNSENT} LIMIT 1"
