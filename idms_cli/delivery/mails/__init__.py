"""A mail: what is in it, and which recipients have it."""
