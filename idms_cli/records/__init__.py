"""A row becomes a record: mapped, matched, planned, written, journalled."""
