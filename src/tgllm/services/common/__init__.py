"""Basic values that all services use: text, calendar, times, lane, actor, wake-ups."""
