"""Upkeep of the data folder: retention, backups, changes from outside, times of jobs."""
