"""What a job can do."""
