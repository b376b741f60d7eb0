"""Each kind of record against the sandbox, over HTTP."""
