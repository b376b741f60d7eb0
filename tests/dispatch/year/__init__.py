"""A year of scheduled jobs, simulated twice: by idms itself, and by a slow oracle that shares nothing with it."""
