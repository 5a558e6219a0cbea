"""Reminders at their times: the worker, and the questions of scheduled prompts."""
