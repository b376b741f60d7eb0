"""One file per command: flags in, one call, report out."""
