"""Common parts of the fake servers: answers, errors, faults, the HTTP server, the journal of requests."""
