"""Read a file in its format."""
