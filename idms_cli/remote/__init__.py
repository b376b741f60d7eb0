"""What files that come and files that go share: SSH servers with their keys and logins, S3 services."""
