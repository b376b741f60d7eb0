"""Measurements: they print figures and ratios, and judge nothing. Run them with `make bench`."""
