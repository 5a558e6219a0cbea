"""Loading plugins: registration, settings, contexts, records."""
