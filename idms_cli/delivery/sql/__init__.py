"""Rows into a table of a database: one transaction, all of them or none."""
