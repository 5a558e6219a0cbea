"""Maintenance of the data: retention, backups, changes by other processes, times of jobs."""
