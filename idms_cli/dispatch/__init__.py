"""The life of a run: tick, claim, launch, execute, settle."""
