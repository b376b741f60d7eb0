"""Rows of history become tables, plain text and JSON; the only place that imports rich."""
