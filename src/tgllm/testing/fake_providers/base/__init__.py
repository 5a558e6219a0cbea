"""What every fake API has: answers, errors, faults, the HTTP server, the journal of requests."""
