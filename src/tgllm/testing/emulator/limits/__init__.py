"""Rate limits and injected faults."""
