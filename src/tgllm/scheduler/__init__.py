"""Scheduler: cron times, jobs, and one run for each due time."""
