"""Calls of plugin code: time limits, threads, outcomes."""
