"""A live terminal screen of all jobs: problems first, what runs, the day around now; keys that act as commands do."""
