"""The SQLite file: schema, slots, runs, ticks, queries."""
