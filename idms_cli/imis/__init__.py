"""The site: HTTP, token, queries, entities, metadata; kinds of record."""

import sys

# Without its command line, which httpx loads where rich and pygments are installed, it loads in two thirds of the time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: there is no such module
