"""What all that speaks HTTP shares: trusted certificates, and files that are fetched from the web."""
