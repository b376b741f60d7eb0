"""Requests to a web server: what is sent, what an answer means, and the journal that no request goes past."""
