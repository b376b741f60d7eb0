"""Rows on their way out: read from the site or a file, kept in the run's directory, selected, compared with before."""
