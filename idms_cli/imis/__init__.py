"""The site: HTTP, token, queries, entities, metadata; kinds of record."""
