"""The report as one web page: no script, no network; for a web server, a mail attachment or a printer."""
