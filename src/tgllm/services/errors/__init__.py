"""Reports of unexpected errors: the log, the database, notices to the admins, and Sentry."""
