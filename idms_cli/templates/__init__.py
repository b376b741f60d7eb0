"""Texts with `{{ }}` over a run's own values (slot, run, now, rows), in a sandbox: file names, documents, messages."""
