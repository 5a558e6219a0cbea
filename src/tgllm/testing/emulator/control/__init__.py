"""Control API over HTTP."""
