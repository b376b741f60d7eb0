"""What a job is: reading jobs.d, checking it, when it is due."""
