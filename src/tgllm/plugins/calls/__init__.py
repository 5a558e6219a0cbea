"""Calls into plugins: time limits, threads, outcomes."""
