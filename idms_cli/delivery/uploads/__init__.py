"""What destinations on servers share: their folders' addresses, and files that are there whole or not at all."""
