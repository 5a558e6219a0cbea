"""Middlewares of updates, outermost first: scope, errors, migration, password, access."""
